//! One region of inputs with bounds on all nodes, as the frame in which many linear bounds are computed at once.

use ndarray::{Array1, Array2, Axis};

use super::interval::Bounds;
use super::layer::Layer;
use super::model::{Model, Op};

/// Bounds on all nodes of a network over one box, with the lines that relax its ReLUs.
///
/// Slopes of lower lines are free, and each bound has its own. They are kept for the undecided ReLUs only, in the order of nodes
/// and elements: their *slots*.
#[derive(Clone, Debug)]
pub struct Frame<'m> {
    model: &'m Model<f32>,
    bounds: Bounds<f32>,
    lines: Vec<Option<Lines>>,
    cuts: Vec<Cut>,
}

/// The assumption that the input of ReLUs, an element of an affine node, has a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assumed {
    /// The node.
    pub node: usize,
    /// Its element.
    pub element: usize,
    /// At least 0, or at most 0.
    pub is_positive: bool,
}

/// A linear function that is at most 0 wherever the bounds in a frame are to hold: non-negative multiples of it may be added to what
/// is bounded from below.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The function.
    pub target: Target,
    /// The width of its values: the scale on which multipliers are sought.
    pub width: f32,
}

/// How the elements of a ReLU node are relaxed.
#[derive(Clone, Debug)]
pub struct Lines {
    /// The node that feeds it.
    pub source: usize,
    /// Adaptive slopes of the lower lines.
    pub below: Array1<f32>,
    /// Slopes of the upper lines.
    pub above: Array1<f32>,
    /// Values of the upper lines at zero: positive exactly where the sign is undecided.
    pub offset: Array1<f32>,
    /// The undecided elements.
    pub undecided: Vec<usize>,
    /// The slot of the first of them.
    pub first: usize,
}

impl Lines {
    fn of(source: usize, (lower, upper): (&[f32], &[f32]), first: usize) -> Self {
        let size = lower.len();
        let [mut below, mut above, mut offset] = [0; 3].map(|_| Array1::zeros(size));
        let mut undecided = Vec::new();
        for (j, (l, u)) in lower.iter().zip(upper).enumerate() {
            if *l >= 0.0 {
                (below[j], above[j]) = (1.0, 1.0);
            } else if *u > 0.0 {
                above[j] = u / (u - l);
                offset[j] = (-above[j] * l).max(f32::MIN_POSITIVE);
                below[j] = f32::from(u8::from(*u > -l));
                undecided.push(j);
            }
        }
        Lines { source, below, above, offset, undecided, first }
    }
}

impl<'m> Frame<'m> {
    /// Bounds of a single domain.
    pub fn new(model: &'m Model<f32>, bounds: Bounds<f32>) -> Self {
        let mut frame = Frame { model, bounds, lines: vec![None; model.nodes().len()], cuts: Vec::new() };
        for (id, source) in model.relus() {
            let first = frame.slots(id);
            let ends = (frame.bounds.lower[source].row(0), frame.bounds.upper[source].row(0));
            let slices = (ends.0.to_slice().expect("row-major"), ends.1.to_slice().expect("row-major"));
            frame.lines[id] = Some(Lines::of(source, slices, first));
        }
        frame
    }

    /// The same, where functions are known to be at most 0.
    #[must_use]
    pub fn with_cuts(mut self, cuts: Vec<Cut>) -> Self {
        self.cuts = cuts;
        self
    }

    /// What is at most 0.
    pub fn cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// The network.
    pub fn model(&self) -> &'m Model<f32> {
        self.model
    }

    /// The bounds.
    pub fn bounds(&self) -> &Bounds<f32> {
        &self.bounds
    }

    /// The lines of a ReLU node.
    pub fn lines(&self, relu: usize) -> &Lines {
        self.lines[relu].as_ref().expect("lines for each ReLU")
    }

    /// The number of slots of ReLU nodes before a node.
    pub fn slots(&self, node: usize) -> usize {
        let before = self.lines[..node].iter().flatten().next_back();
        before.map_or(0, |lines| lines.first + lines.undecided.len())
    }

    /// The interval of an element of a node.
    pub fn interval(&self, node: usize, element: usize) -> (f32, f32) {
        (self.bounds.lower[node][[0, element]], self.bounds.upper[node][[0, element]])
    }

    /// The undecided elements of a node.
    pub fn undecided(&self, node: usize) -> Vec<usize> {
        self.bounds.undecided(node).into_iter().map(|(_, element)| element).collect()
    }

    /// The ReLU nodes that a node feeds.
    pub fn fed_by(&self, node: usize) -> impl Iterator<Item = usize> {
        self.model.relus().filter(move |(_, source)| *source == node).map(|(id, _)| id)
    }
}

/// A linear function to be bounded from below: coefficients on some nodes, and a constant.
#[derive(Clone, Debug)]
pub struct Target {
    /// All nodes with coefficients come before this one.
    pub node: usize,
    /// Coefficients by node.
    pub terms: Vec<(usize, Array1<f32>)>,
    /// The constant.
    pub constant: f32,
}

impl Target {
    /// One end of an element of an affine node: the element itself, or its negative.
    pub fn end((model, bounds): (&Model<f32>, &Bounds<f32>), node: usize, (element, is_upper): (usize, bool)) -> Self {
        let Op::Affine { terms, bias, .. } = &model.nodes()[node].op else { unreachable!("ends of affine nodes") };
        let error = bounds.errors(node).map_or(0.0, |errors| errors[[0, element]]);
        let sign = if is_upper { -1.0 } else { 1.0 };
        let on = |(source, layer): &(usize, Layer<f32>)| {
            let mut row = Array2::zeros((1, model.nodes()[*source].size));
            layer.pick(&[(element, sign)], row.view_mut());
            (*source, row.index_axis_move(Axis(0), 0))
        };
        Target { node, terms: terms.iter().map(on).collect(), constant: sign * bias[element] - error }
    }

    /// A linear function of a node's elements.
    pub fn row(node: usize, coefficients: Array1<f32>, constant: f32) -> Self {
        Target { node: node + 1, terms: vec![(node, coefficients)], constant }
    }
}
