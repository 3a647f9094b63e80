//! Interval bound propagation (Gowal et al. 2018): midpoints through the maps, radii through their absolute values.

use ndarray::Array2;

use super::model::{Model, Node, Op};
use crate::real::Real;

/// Bounds on all nodes, for a batch of domains: element `j` of a node lies in `[lower[d, j], upper[d, j]]` in domain
/// `d`, up to the rounding of the search.
#[derive(Clone, Debug)]
pub struct Bounds<T> {
    /// Lower ends of each node, `[domains, size]`.
    pub lower: Vec<Array2<T>>,
    /// Upper ends of each node, `[domains, size]`.
    pub upper: Vec<Array2<T>>,
}

impl<T: Real> Bounds<T> {
    /// Bounds on the input alone.
    pub fn of_input(lower: Array2<T>, upper: Array2<T>) -> Self {
        Bounds { lower: vec![lower], upper: vec![upper] }
    }

    /// Number of domains.
    pub fn domains(&self) -> usize {
        self.lower[0].nrows()
    }

    /// Adds interval bounds of the next node.
    pub fn push(&mut self, node: &Node<T>) {
        let (lower, upper) = match &node.op {
            Op::Input => unreachable!("only node 0 is the input"),
            Op::Relu(source) => {
                let clamp = |ends: &Array2<T>| ends.mapv(|e| e.max(T::zero()));
                (clamp(&self.lower[*source]), clamp(&self.upper[*source]))
            }
            Op::Affine { terms, bias } => {
                let half = T::of(0.5);
                let mut center = bias.broadcast((self.domains(), node.size)).expect("a row of constants").to_owned();
                let mut radius = Array2::zeros((self.domains(), node.size));
                for (source, layer) in terms {
                    let (lower, upper) = (&self.lower[*source], &self.upper[*source]);
                    let middles = (lower + upper) * half;
                    let radii = (upper - lower) * half;
                    layer.forward(middles.view(), center.view_mut());
                    layer.forward_abs(radii.view(), radius.view_mut());
                }
                (&center - &radius, &center + &radius)
            }
        };
        self.lower.push(lower);
        self.upper.push(upper);
    }

    /// Raises lower ends and lowers upper ends of elements of a node in the first domain, and derives what follows for the nodes behind
    /// it. Each bound is a lower bound of the element, or of its negative where it is for the upper end.
    pub fn tighten(&mut self, nodes: &[Node<T>], node: usize, bounds: &[(usize, bool, T)]) {
        for (element, is_upper, bound) in bounds {
            let place = [0, *element];
            let (lower, upper) = (&mut self.lower[node][place], &mut self.upper[node][place]);
            match is_upper {
                true => *upper = upper.min(-*bound),
                false => *lower = lower.max(*bound),
            }
        }
        let known = Bounds { lower: self.lower.split_off(node + 1), upper: self.upper.split_off(node + 1) };
        for (id, (lower, upper)) in (node + 1..).zip(known.lower.iter().zip(&known.upper)) {
            self.push(&nodes[id]);
            self.lower[id].zip_mut_with(lower, |l, known| *l = l.max(*known));
            self.upper[id].zip_mut_with(upper, |u, known| *u = u.min(*known));
        }
    }

    /// The elements of a node whose sign is open, as (domain, element).
    pub fn undecided(&self, node: usize) -> Vec<(usize, usize)> {
        let ends = self.lower[node].indexed_iter().zip(self.upper[node].iter());
        ends.filter(|((_, l), u)| **l < T::zero() && **u > T::zero()).map(|((place, _), _)| place).collect()
    }
}

/// Interval bounds on all nodes.
pub fn propagate<T: Real>(model: &Model<T>, lower: Array2<T>, upper: Array2<T>) -> Bounds<T> {
    let mut bounds = Bounds::of_input(lower, upper);
    model.nodes()[1..].iter().for_each(|node| bounds.push(node));
    bounds
}
