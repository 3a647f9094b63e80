//! Fuses neighbouring affine nodes, so that the search multiplies once where the file multiplies, adds and reshapes.
//!
//! The trusted network keeps one node for each operator. For the search a normalisation in front of a layer, a
//! transposition before a matrix or a constant added behind one cost a pass over all rows each.

use bartizan_proof::network::{Conv, Dense, Map, Network, NodeId, Op, Sparse};

/// A node of the search's network before its maps are rounded.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// The node of the trusted network whose value this is.
    pub origin: NodeId,
    pub size: usize,
    pub op: DraftOp,
    /// What executions round in it, where those are meant and it is affine.
    pub rounding: Option<DraftRounding>,
}

/// What executions round in an affine node and in those that were fused into it.
#[derive(Clone, Debug)]
pub(super) struct DraftRounding {
    /// The roundings behind each element.
    pub number: Vec<usize>,
    /// A bound on the sum of absolute values of all constants behind each element.
    pub constant: Vec<f64>,
}

#[derive(Clone, Debug)]
pub(super) enum DraftOp {
    Input,
    Relu(usize),
    /// Maps of earlier nodes, and a constant (empty for zero).
    Affine(Vec<(usize, Map)>, Vec<f64>),
}

/// The network's nodes with neighbouring affine nodes fused, dead ones removed and places renumbered.
/// The last node is the output.
pub(super) fn fused(network: &Network) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::with_capacity(network.nodes().len());
    let pinned = pinned(network);
    let mut uses = uses(network);
    for (id, node) in network.nodes().iter().enumerate() {
        let mut rounding = None;
        let op = match &node.op {
            Op::Input => DraftOp::Input,
            Op::Relu(source) => DraftOp::Relu(*source),
            Op::Affine(affine) => {
                rounding = rounding_of(network, id, node.size);
                let terms = affine.terms.iter().map(|t| (t.source, t.map.clone())).collect();
                let bias = affine.bias.iter().map(|b| b.middle()).collect();
                absorb(&drafts, (&pinned, &mut uses), (terms, bias, node.size), &mut rounding)
            }
        };
        drafts.push(Draft { origin: id, size: node.size, op, rounding });
    }
    compact(drafts, network.output())
}

/// What executions round in an affine node of the trusted network.
fn rounding_of(network: &Network, id: NodeId, size: usize) -> Option<DraftRounding> {
    let rounded = network.rounded(id)?;
    let before = if rounded.continues { 0 } else { rounded.before };
    let number = if rounded.own.is_empty() { vec![0; size] } else { rounded.own.iter().map(|n| n + before).collect() };
    Some(DraftRounding { number, constant: rounded.constant.to_vec() })
}

/// Nodes that must stay: sources of ReLUs and the output.
fn pinned(network: &Network) -> Vec<bool> {
    let mut pinned = vec![false; network.nodes().len()];
    pinned[network.output()] = true;
    network.relus().for_each(|(_, source)| pinned[source] = true);
    pinned
}

fn uses(network: &Network) -> Vec<usize> {
    let mut uses = vec![0; network.nodes().len()];
    for node in network.nodes() {
        match &node.op {
            Op::Input => {}
            Op::Relu(source) => uses[*source] += 1,
            Op::Affine(affine) => affine.terms.iter().for_each(|t| uses[t.source] += 1),
        }
    }
    uses
}

/// Replaces terms over affine nodes by terms over those nodes' own sources, where the maps compose.
fn absorb(
    drafts: &[Draft],
    (pinned, uses): (&[bool], &mut [usize]),
    (terms, mut bias, size): (Vec<(usize, Map)>, Vec<f64>, usize),
    rounding: &mut Option<DraftRounding>,
) -> DraftOp {
    let mut done = Vec::with_capacity(terms.len());
    for (source, map) in terms {
        let inner = &drafts[source];
        let DraftOp::Affine(inner_terms, inner_bias) = &inner.op else {
            done.push((source, map));
            continue;
        };
        let is_view = matches!(inner_terms.as_slice(), [(_, Map::Identity)]) && inner_bias.is_empty();
        let may_absorb = is_view || (!pinned[source] && uses[source] == 1);
        let composed: Option<Vec<(usize, Map)>> = may_absorb
            .then(|| inner_terms.iter().map(|(s, m)| Some((*s, compose(&map, m, drafts[*s].size)?))).collect())
            .flatten();
        let Some(composed) = composed else {
            done.push((source, map));
            continue;
        };
        if !inner_bias.is_empty() {
            bias.resize(size, 0.0);
            map.apply(inner_bias, &mut bias);
        }
        if let (Some(rounding), Some(inner)) = (rounding.as_mut(), &inner.rounding) {
            let most = inner.number.iter().copied().max().unwrap_or(0);
            rounding.number.iter_mut().for_each(|number| *number += most);
            map.apply_abs(&inner.constant, &mut rounding.constant);
        }
        uses[source] -= 1;
        composed.iter().for_each(|(s, _)| uses[*s] += 1);
        done.extend(composed);
    }
    DraftOp::Affine(done, bias)
}

/// `outer` after `inner`, where that is no more work than `outer` alone or `inner` alone.
fn compose(outer: &Map, inner: &Map, inputs: usize) -> Option<Map> {
    match (outer, inner) {
        (outer, Map::Identity) => Some(outer.clone()),
        (Map::Identity, inner) => Some(inner.clone()),
        (Map::Select(outer), Map::Select(inner)) => {
            Some(Map::Select(outer.iter().map(|place| place.and_then(|i| inner[i])).collect()))
        }
        (Map::Dense(m), Map::Select(places)) => Some(Map::Dense(dense_of_selected(m, places, inputs))),
        (Map::Dense(m), Map::Scale(scale)) => {
            let weights = m.weights.iter().zip(scale.iter().cycle()).map(|(w, s)| w * s).collect();
            Some(Map::Dense(Dense { inputs: m.inputs, weights }))
        }
        (Map::Sparse(m), Map::Scale(scale)) => {
            let entries = m.entries.iter().map(|(column, w)| (*column, w * scale[*column])).collect();
            Some(Map::Sparse(Sparse { entries, ..m.clone() }))
        }
        (Map::Scale(scale), Map::Dense(m)) => {
            let rows = m.weights.chunks_exact(m.inputs).zip(scale);
            let weights = rows.flat_map(|(row, s)| row.iter().map(move |w| w * s)).collect();
            Some(Map::Dense(Dense { inputs: m.inputs, weights }))
        }
        (Map::Scale(outer), Map::Scale(inner)) => {
            Some(Map::Scale(outer.iter().zip(inner).map(|(a, b)| a * b).collect()))
        }
        (Map::Scale(scale), Map::Conv(m)) => scaled_conv(scale, m),
        _ => None,
    }
}

fn dense_of_selected(m: &Dense, places: &[Option<usize>], inputs: usize) -> Dense {
    let outputs = m.weights.len() / m.inputs;
    let mut weights = vec![0.0; outputs * inputs];
    for (row, into) in m.weights.chunks_exact(m.inputs).zip(weights.chunks_exact_mut(inputs)) {
        for (w, place) in row.iter().zip(places) {
            if let Some(i) = place {
                into[*i] += w;
            }
        }
    }
    Dense { inputs, weights }
}

/// A convolution whose channels are scaled; `None` when the scale varies within a channel.
fn scaled_conv(scale: &[f64], m: &Conv) -> Option<Map> {
    let channels = scale.chunks_exact(m.output[1] * m.output[2]);
    let factors: Option<Vec<f64>> = channels.map(|c| c.iter().all(|s| *s == c[0]).then_some(c[0])).collect();
    let rows = m.weights.chunks_exact(m.patch()).zip(factors?);
    let weights = rows.flat_map(|(row, s)| row.iter().map(move |w| w * s)).collect();
    Some(Map::Conv(Conv { weights, ..m.clone() }))
}

/// Removes nodes that nothing reads any more and renumbers the rest.
fn compact(drafts: Vec<Draft>, output: NodeId) -> Vec<Draft> {
    let mut live = vec![false; drafts.len()];
    live[0] = true;
    live[output] = true;
    for (id, draft) in drafts.iter().enumerate().rev() {
        match &draft.op {
            _ if !live[id] => {}
            DraftOp::Input => {}
            DraftOp::Relu(source) => live[*source] = true,
            DraftOp::Affine(terms, _) => terms.iter().for_each(|(source, _)| live[*source] = true),
        }
    }
    let mut place = vec![usize::MAX; drafts.len()];
    let mut kept: Vec<Draft> = Vec::new();
    for (id, mut draft) in drafts.into_iter().enumerate().take(output + 1).filter(|(id, _)| live[*id]) {
        match &mut draft.op {
            DraftOp::Input => {}
            DraftOp::Relu(source) => *source = place[*source],
            DraftOp::Affine(terms, _) => terms.iter_mut().for_each(|(source, _)| *source = place[*source]),
        }
        place[id] = kept.len();
        kept.push(draft);
    }
    kept
}
