//! Random tiny networks and regions with numbers that provoke ties, cancellation, overflow and underflow.

use bartizan_proof::network::{Affine, Conv, Dense, Execution, Map, Node, Op, Parts, Sparse, Term};
use bartizan_proof::property::{Atom, Ball, Bound, Norm, Region, Variable};
use bartizan_proof::{Digest, Interval, Network};

use super::random::Random;

/// Which numbers a network is made of.
const PALETTES: [&[f64]; 9] = [
    &[0.0, 1.0, -1.0, 1.0, -1.0, 0.5, 2.0, -2.0],
    &[1.0, -1.0],
    &[0.75, -0.75, 0.750_000_000_000_000_1, -0.749_999_999_999_999_9],
    &[0.1, -0.1, 0.2, -0.3, 0.7, -0.6, 1.0 / 3.0, 0.0],
    &[1e16, -1e16, 1.0, -1.0, 0.1, -0.1],
    &[1e150, -1e150, 1e300, -1e300, 1e-300, 1.0, -1.0, 0.0],
    &[5e-324, -5e-324, 1e-310, -3e-320, 1e-300, 1.0, -1.0, 1e300],
    &[1.0, -1.0, 1e-8, -1e-8, 1e8, -1e8, 3.0],
    &[],
];

/// How often each palette is taken, out of their sum.
const SHARES: [usize; 9] = [5, 2, 2, 4, 2, 1, 1, 2, 6];

/// The most ReLUs with one, two and three inputs: usually, and now and then.
const MOST_RELUS: [(usize, usize); 3] = [(6, 12), (5, 12), (4, 9)];

/// A network under construction.
struct Builder<'r> {
    random: &'r mut Random,
    palette: &'static [f64],
    nodes: Vec<Node>,
    /// Whether weights count as rounded and constants as enclosed.
    is_rounded: bool,
}

/// Where numbers are from the plain palette, uniform ones.
fn number(random: &mut Random, palette: &[f64]) -> f64 {
    if palette.is_empty() { random.range(-1.5, 1.5) } else { random.pick(palette) }
}

/// A random tiny network.
pub fn network(random: &mut Random) -> Network {
    let mut ticket = random.below(SHARES.iter().sum());
    let mut chosen = 0;
    while ticket >= SHARES[chosen] {
        ticket -= SHARES[chosen];
        chosen += 1;
    }
    let inputs = random.pick(&[1, 1, 1, 1, 1, 2, 2, 2, 3]);
    let (usual, most) = MOST_RELUS[inputs - 1];
    let relus = if random.chance(0.06) { random.between(usual, most) } else { random.between(2, usual) };
    let is_rounded = random.chance(0.1);
    let input = Node { name: "x".to_owned(), size: inputs, op: Op::Input };
    let mut builder = Builder { random, palette: PALETTES[chosen], nodes: vec![input], is_rounded };
    builder.layers(relus);
    let outputs = builder.random.pick(&[1, 1, 2]);
    builder.affine(outputs);
    let nodes = builder.nodes;
    let output = nodes.len() - 1;
    let (input_shape, output_shape) = (vec![inputs], vec![outputs]);
    let digest = Digest::of(b"tiny");
    Network::new(Parts { nodes, output, input_shape, output_shape, dropped: None, real_only: None, digest }).unwrap()
}

impl Builder<'_> {
    fn number(&mut self) -> f64 {
        number(self.random, self.palette)
    }

    fn last(&self) -> usize {
        self.nodes.len() - 1
    }

    fn push(&mut self, size: usize, op: Op) {
        self.nodes.push(Node { name: format!("n{}", self.nodes.len()), size, op });
    }

    /// Affine nodes and ReLUs with this many elements in all.
    fn layers(&mut self, relus: usize) {
        let mut left = relus;
        if self.random.chance(0.04) && self.nodes[0].size <= left {
            self.push(self.nodes[0].size, Op::Relu(0));
            left -= self.nodes[0].size;
        }
        for layer in 0..3 {
            if left == 0 {
                break;
            }
            let width = if layer == 2 { left } else { self.random.between(1, left) };
            self.affine(width);
            if self.random.chance(0.15) {
                self.view();
            }
            let source = self.last();
            self.push(width, Op::Relu(source));
            left -= width;
            if self.random.chance(0.05) && left >= width {
                self.push(width, Op::Relu(source));
                left -= width;
            }
        }
    }

    /// An affine node of the last node, and perhaps of an earlier one.
    fn affine(&mut self, size: usize) {
        let mut sources = vec![self.last()];
        if self.nodes.len() > 1 && self.random.chance(0.25) {
            sources.push(self.random.below(self.nodes.len()));
        }
        let roundings = if self.is_rounded { self.random.pick(&[0, 3, 1000]) } else { 0 };
        let mut terms = Vec::new();
        for source in sources {
            let map = self.map(self.nodes[source].size, size);
            terms.push(Term { source, map, roundings });
        }
        let bias = if self.random.chance(0.6) { (0..size).map(|_| self.bias()).collect() } else { Vec::new() };
        self.push(size, Op::Affine(Affine { terms, bias, execution: Execution::PLAIN }));
    }

    fn bias(&mut self) -> Interval {
        let b = self.number();
        match self.random.below(3) {
            0 if self.is_rounded => Interval { lo: b.next_down(), hi: b.next_up() },
            1 if self.is_rounded => Interval { lo: b, hi: b + b.abs() / 1024.0 },
            _ => Interval::point(b),
        }
    }

    fn map(&mut self, inputs: usize, size: usize) -> Map {
        match self.random.below(12) {
            0 => {
                let entries = (0..2 * size).map(|_| (self.random.below(inputs), self.number())).collect();
                Map::Sparse(Sparse { inputs, starts: (0..=size).map(|i| 2 * i).collect(), entries })
            }
            1 if inputs == size => Map::Scale((0..size).map(|_| self.number()).collect()),
            2 if inputs == size => Map::Identity,
            // A window of two over a line with a zero in front.
            3 if inputs == size => Map::Conv(Conv {
                input: [1, 1, inputs],
                output: [1, 1, size],
                kernel: [1, 2],
                stride: [1, 1],
                pad: [0, 1],
                dilation: [1, 1],
                groups: 1,
                weights: vec![self.number(), self.number()],
            }),
            _ => Map::Dense(Dense { inputs, weights: (0..inputs * size).map(|_| self.number()).collect() }),
        }
    }

    /// A node that only moves or scales the elements of the last.
    fn view(&mut self) {
        let (source, size) = (self.last(), self.nodes[self.last()].size);
        let map = match self.random.below(3) {
            0 => Map::Identity,
            1 => Map::Select((0..size).map(|i| (i > 0 || size == 1).then(|| size - 1 - i)).collect()),
            _ => Map::Scale((0..size).map(|_| self.number()).collect()),
        };
        self.push(
            size,
            Op::Affine(Affine {
                terms: vec![Term { source, map, roundings: 0 }],
                bias: Vec::new(),
                execution: Execution::PLAIN,
            }),
        );
    }
}

/// A random region of up to three inputs.
pub fn region(random: &mut Random, inputs: usize) -> Region {
    let bounds = (0..inputs).map(|_| bound(random)).collect();
    let mut region = Region::of_box(bounds);
    let constraint = |random: &mut Random| Atom {
        terms: (0..inputs)
            .map(|i| (Variable::Input(i), Interval::point(random.pick(&[-1.0, 0.0, 0.5, 1.0]))))
            .collect(),
        at_most: Interval::point(random.pick(&[-0.25, 0.0, 0.1, 0.5])),
        strict: random.chance(0.2),
    };
    if random.chance(0.15) {
        region.constraints = (0..random.between(1, 2)).map(|_| constraint(random)).collect();
    }
    if random.chance(0.12) {
        // Mostly the box cuts the ball at one side only, and now and then it does not hold the center.
        let center = region.bounds.iter().map(|b| {
            let Interval { lo, hi } = b.outer();
            let share = random.pick(&[0.5, 0.5, 0.0, 1.0, 0.1, 1.25]);
            Interval::point(lo * (1.0 - share) + hi * share)
        });
        let center = center.collect();
        let norm = random.pick(&[Norm::L1, Norm::L2]);
        let scale = (0..inputs).map(|_| Interval::point(random.pick(&[1.0, 1.0, 0.5, 0.3]))).collect();
        region.ball = Some(Ball { norm, center, scale, radius: Interval::point(random.pick(&[0.0, 0.1, 0.5, 1.0])) });
    }
    region
}

fn bound(random: &mut Random) -> Bound {
    let point = |lower: f64, upper: f64| Bound { lower: Interval::point(lower), upper: Interval::point(upper) };
    let around = |x: f64| Interval { lo: x.next_down(), hi: x.next_up() };
    match random.below(24) {
        0..=6 => point(-1.0, 1.0),
        7..=9 => point(0.0, 1.0),
        10..=12 => point(-3.0, 2.0),
        13 => point(0.5, 0.5),
        14 => point(0.1, 0.1f64.next_up()),
        15 => point(-5e-324, 1e-320),
        16 => point(-1e150, 1e300),
        17 => Bound { lower: around(0.1), upper: around(0.3) },
        18 => point(-0.1, 0.3),
        _ => {
            let center = random.range(-1.0, 1.0);
            let radius = random.pick(&[1e-9, 0.01, 0.1, 0.5, 2.0]);
            point(center - radius, center + radius)
        }
    }
}
