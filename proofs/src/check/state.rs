//! The state of a proof: an enclosure of every node, established from the input forward.

use std::borrow::Cow;

use crate::arith::{Enclosure, Interval, Rows};
use crate::certificate::{End, Slopes, Target, Targets, Tighten};
use crate::error::Rejected;
use crate::network::{Network, Node, NodeId, Op};
use crate::property::Region;

use super::affine::Walk;
use super::both_ends;
use super::relax::check_slopes;

/// Coefficients that one batch of rows may hold at a node, so that memory stays bounded (32 MiB a node).
const BATCH: usize = 1 << 22;

/// Encloses every node over the region: interval arithmetic, and linear bounds where `tighten` asks for them.
pub(crate) fn establish(network: &Network, region: &Region, tighten: &[Tighten]) -> Result<Vec<Enclosure>, Rejected> {
    let mut bounds = vec![Enclosure::of_intervals(region.bounds.iter().map(|b| b.outer()))];
    let mut steps = tighten.iter().peekable();
    for (id, node) in network.nodes().iter().enumerate().skip(1) {
        bounds.push(enclose(node, &bounds));
        while let Some(step) = steps.next_if(|step| step.node == id) {
            let targets = targets_of(step, &bounds, node.size);
            tighten_targets(network, &mut bounds, id, &targets)?;
        }
    }
    match steps.next() {
        Some(step) => Err(Rejected::TightenOrder { node: step.node }),
        None => Ok(bounds),
    }
}

/// Encloses every node by interval arithmetic alone.
pub(crate) fn enclose_all(network: &Network, input: Enclosure) -> Vec<Enclosure> {
    let mut bounds = vec![input];
    for node in network.nodes().iter().skip(1) {
        bounds.push(enclose(node, &bounds));
    }
    bounds
}

/// Encloses a node, given enclosures of all nodes before it.
fn enclose(node: &Node, before: &[Enclosure]) -> Enclosure {
    let missing = Enclosure::of_intervals(std::iter::empty());
    let of = |source: NodeId| before.get(source).unwrap_or(&missing);
    match &node.op {
        Op::Input => missing.clone(),
        Op::Relu(source) => of(*source).relu(),
        Op::Affine(affine) => affine.enclose(node.size, of),
    }
}

fn targets_of<'s>(step: &'s Tighten, bounds: &[Enclosure], size: usize) -> Cow<'s, [Target]> {
    match &step.targets {
        Targets::Listed(targets) => Cow::Borrowed(targets),
        Targets::Undecided => {
            let undecided = |i: &usize| bounds.get(step.node).is_some_and(|b| b.is_undecided(*i));
            Cow::Owned(both_ends((0..size).filter(undecided), &Slopes::default()))
        }
    }
}

/// Bounds the targeted ends of a node's elements from the nodes before it.
pub(crate) fn tighten_targets(
    network: &Network,
    bounds: &mut [Enclosure],
    node: NodeId,
    targets: &[Target],
) -> Result<(), Rejected> {
    let found = network.nodes().get(node).filter(|n| !matches!(n.op, Op::Input));
    let size = found.ok_or(Rejected::TightenOrder { node })?.size;
    for target in targets {
        if target.neuron >= size {
            return Err(Rejected::UnknownNeuron { node, neuron: target.neuron, size });
        }
        check_slopes(network, &target.slopes)?;
    }
    let widest = network.nodes().iter().take(node + 1).map(|n| n.size).max().unwrap_or(1);
    for batch in targets.chunks((BATCH / widest).max(1)) {
        let proved = bound_batch(network, bounds, (node, size), batch);
        for (target, bound) in batch.iter().zip(proved) {
            let above = Interval { lo: bound, hi: f64::INFINITY };
            let by = if target.end == End::Lower { above } else { -above };
            if let Some(enclosure) = bounds.get_mut(node) {
                enclosure.tighten(target.neuron, by);
            }
        }
    }
    Ok(())
}

/// Lower bounds of `z_i` for lower ends and of `-z_i` for upper ends.
fn bound_batch(network: &Network, bounds: &[Enclosure], (node, size): (NodeId, usize), batch: &[Target]) -> Vec<f64> {
    let mut rows = Rows::zeros(batch.len(), size);
    for (row, target) in batch.iter().enumerate() {
        rows.set(row, target.neuron, if target.end == End::Lower { 1.0 } else { -1.0 });
    }
    let mut walk = Walk::new(network, bounds, vec![0.0; batch.len()]);
    walk.add(node, rows);
    let slopes: Vec<&Slopes> = batch.iter().map(|t| &t.slopes).collect();
    walk.lower_bounds(&slopes)
}
