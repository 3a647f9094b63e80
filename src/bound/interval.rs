//! Interval bound propagation (Gowal et al. 2018): midpoints through the maps, radii through their absolute values.

use std::sync::Arc;

use bartizan_proof::property::Region;
use ndarray::{Array1, Array2, ArrayView1, Axis, Zip};

use super::ball::Ball;
use super::layer::Layer;
use super::model::{Model, Node, Op, Rounding};
use crate::real::Real;

/// Bounds on all nodes, for a batch of domains: element `j` of a node lies in `[lower[d, j], upper[d, j]]` in domain
/// `d`, up to the rounding of the search.
#[derive(Clone, Debug)]
pub struct Bounds<T> {
    /// Lower ends of each node, `[domains, size]`.
    pub lower: Vec<Array2<T>>,
    /// Upper ends of each node, `[domains, size]`.
    pub upper: Vec<Array2<T>>,
    /// What executions round in each affine node, where those are what is meant; empty elsewhere.
    pub rounded: Vec<Option<Rounded<T>>>,
    /// The ball that the inputs of all domains lie in, too, if there is one. Interval arithmetic knows nothing of it.
    pub ball: Option<Arc<Ball<T>>>,
}

/// What executions round in an affine node.
#[derive(Clone, Debug)]
pub struct Rounded<T> {
    /// How far an element may be from real arithmetic on the node's sources, `[domains, size]`.
    pub errors: Array2<T>,
    /// Sums of the absolute values of all that is added up for an element, `[domains, size]`.
    magnitudes: Array2<T>,
}

impl Rounded<f32> {
    /// The same in double precision.
    pub fn wide(&self) -> Rounded<f64> {
        Rounded { errors: self.errors.mapv(f64::from), magnitudes: self.magnitudes.mapv(f64::from) }
    }
}

impl<T: Real> Rounded<T> {
    /// That of some elements.
    pub fn select(&self, kept: &[usize]) -> Self {
        let of = |values: &Array2<T>| values.select(Axis(1), kept);
        Rounded { errors: of(&self.errors), magnitudes: of(&self.magnitudes) }
    }
}

impl<T: Real> Bounds<T> {
    /// Bounds on all nodes, without what executions round.
    pub fn of_ends(lower: Vec<Array2<T>>, upper: Vec<Array2<T>>) -> Self {
        Bounds { lower, upper, rounded: Vec::new(), ball: None }
    }

    /// How far the elements of a node may be from real arithmetic, `[domains, size]`; none where nothing is rounded.
    pub fn errors(&self, node: usize) -> Option<&Array2<T>> {
        self.rounded.get(node)?.as_ref().map(|rounded| &rounded.errors)
    }

    /// Bounds on the input alone.
    pub fn of_input(lower: Array2<T>, upper: Array2<T>) -> Self {
        Bounds::of_ends(vec![lower], vec![upper])
    }

    /// The same in a ball.
    #[must_use]
    pub fn within(self, ball: Option<Arc<Ball<T>>>) -> Self {
        Bounds { ball, ..self }
    }

    /// Bounds on the input alone: a region as a single domain.
    pub fn of_region(region: &Region) -> Self {
        let (lower, upper): (Vec<T>, Vec<T>) =
            region.bounds.iter().map(|b| (T::of(b.outer().lo), T::of(b.outer().hi))).unzip();
        let row = |ends: Vec<T>| Array1::from(ends).insert_axis(Axis(0));
        let ball = region.ball.as_ref().map(|ball| Arc::new(Ball::of(ball)));
        Bounds::of_input(row(lower), row(upper)).within(ball)
    }

    /// The bounds on the input alone in some domains, in the given order.
    #[must_use]
    pub fn inputs_of(&self, domains: &[usize]) -> Self {
        let of = |ends: &Array2<T>| ends.select(Axis(0), domains);
        Bounds::of_input(of(&self.lower[0]), of(&self.upper[0])).within(self.ball.clone())
    }

    /// Whether backward bounds may improve on interval bounds of a node: those are exact where nothing but affine nodes lie before it, but
    /// only over a box.
    pub fn may_improve(&self, node: &Node<T>) -> bool {
        !node.is_first || self.ball.is_some()
    }

    /// The bound of `a . x` over a domain's part of the ball, and the gradient of that bound by `a`, as [`Ball::least`] has it; none where
    /// there is no ball, or the bound over the box is no worse.
    pub fn least_in_ball(&self, domain: usize, a: ArrayView1<T>, over_box: T) -> Option<(T, Array1<T>)> {
        let ball = self.ball.as_ref()?;
        let mut point = Array1::zeros(a.len());
        let ends = (self.lower[0].row(domain), self.upper[0].row(domain));
        let slices = (ends.0.to_slice().expect("row-major"), ends.1.to_slice().expect("row-major"));
        let into = point.as_slice_mut().expect("row-major");
        let least = ball.least(a.to_slice().expect("row-major"), slices, into);
        (least > over_box).then_some((least, point))
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
            Op::Affine { terms, bias, rounding } => {
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
                if let Some(rounding) = rounding {
                    let rounded = self.round(terms, rounding);
                    radius += &rounded.errors;
                    self.rounded.resize(self.lower.len() + 1, None);
                    self.rounded[self.lower.len()] = Some(rounded);
                }
                (&center - &radius, &center + &radius)
            }
        };
        self.lower.push(lower);
        self.upper.push(upper);
    }

    /// What executions round in an affine node that comes next.
    fn round(&self, terms: &[(usize, Layer<T>)], rounding: &Rounding<T>) -> Rounded<T> {
        let shape = (self.domains(), rounding.constant.len());
        let mut magnitudes = rounding.constant.broadcast(shape).expect("a row of constants").to_owned();
        for (source, layer) in terms {
            let sums = self.rounded.get(*source).and_then(Option::as_ref);
            let largest =
                || Zip::from(&self.lower[*source]).and(&self.upper[*source]).map_collect(|l, u| l.abs().max(u.abs()));
            let sizes = sums.map_or_else(largest, |rounded| rounded.magnitudes.clone());
            layer.forward_abs(sizes.view(), magnitudes.view_mut());
        }
        Rounded { errors: &magnitudes * &rounding.relative, magnitudes }
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
        let known = (self.lower.split_off(node + 1), self.upper.split_off(node + 1));
        self.rounded.truncate(node + 1);
        for (id, (lower, upper)) in (node + 1..).zip(known.0.iter().zip(&known.1)) {
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

/// Interval bounds on all nodes, from bounds on the input.
pub fn propagate<T: Real>(model: &Model<T>, mut bounds: Bounds<T>) -> Bounds<T> {
    model.nodes()[1..].iter().for_each(|node| bounds.push(node));
    bounds
}
