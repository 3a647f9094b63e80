//! Verdicts by splits of signs against mixed-integer programs, which state a network exactly: each undecided ReLU has a binary variable that
//! chooses its branch, with bounds on its input from interval arithmetic (Tjeng, Xiao and Tedrake 2019).
//!
//! The built-in solver decides small networks. With HiGHS, which needs cmake and libclang to build, there are more and larger ones:
//!
//! ```text
//! python3 -m venv venv && venv/bin/pip install cmake libclang
//! PATH=$PWD/venv/bin:$PATH LIBCLANG_PATH=$(dirname $(find $PWD/venv -name libclang.so)) \
//!     BINDGEN_EXTRA_CLANG_ARGS=-I$(gcc -print-file-name=include) \
//!     cargo test --release --features highs --test integers
//! ```

use std::time::Duration;

use bartizan::Split;
use bartizan::Verdict;
use bartizan::internals::{Options, Verifier};
use bartizan_proof::network::{Affine, Dense, Execution, Map, Node, Op, Parts, Term};
use bartizan_proof::property::{Atom, Bound, Case, Region, Variable as Scalar};
use bartizan_proof::{Digest, Interval, Network, Property};
use good_lp::{
    Constraint, Expression, ProblemVariables, Solution, SolverModel, Variable, constraint, variable, variables,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[cfg(feature = "highs")]
use good_lp::highs as solver;
#[cfg(not(feature = "highs"))]
use good_lp::microlp as solver;

/// Networks, and the sizes of their layers.
#[cfg(feature = "highs")]
const TRIALS: (u64, [usize; 4]) = (200, [4, 12, 12, 1]);
#[cfg(not(feature = "highs"))]
const TRIALS: (u64, [usize; 4]) = (100, [3, 5, 5, 1]);

/// How far thresholds are from the minimum. Bounds in single precision decide little at the last of them.
#[cfg(not(feature = "highs"))]
const DISTANCES: [f64; 3] = [1e-2, 1e-4, 1e-7];
/// HiGHS has tolerances of its own: its minimum for seed 88 is 4.4e-7 above the network's value at a point and the built-in solver's minimum.
#[cfg(feature = "highs")]
const DISTANCES: [f64; 3] = [1e-2, 1e-4, 1e-5];

const TIMEOUT: Duration = Duration::from_secs(20);

/// Weights, row by row, and constants of a layer.
type Layer = (Vec<Vec<f64>>, Vec<f64>);

fn layers(seed: u64) -> (Vec<Layer>, Vec<[f64; 2]>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = |scale: f64| f64::from(random.random::<f32>() * 2.0 - 1.0) * scale;
    let layer = |sizes: &[usize]| {
        let scale = 2.0 / (sizes[0] as f64).sqrt();
        let weights = (0..sizes[1]).map(|_| (0..sizes[0]).map(|_| uniform(scale)).collect()).collect();
        (weights, (0..sizes[1]).map(|_| uniform(0.3)).collect())
    };
    let layers = TRIALS.1.windows(2).map(layer).collect();
    let center = (0..TRIALS.1[0]).map(|_| uniform(1.0)).map(|c| [c - 0.8, c + 0.8]).collect();
    (layers, center)
}

fn network(layers: &[Layer]) -> Network {
    let mut nodes = vec![Node { name: "x".to_owned(), size: TRIALS.1[0], op: Op::Input }];
    for (i, (weights, bias)) in layers.iter().enumerate() {
        let source = nodes.len() - 1;
        let map = Map::Dense(Dense { inputs: nodes[source].size, weights: weights.concat() });
        let bias = bias.iter().copied().map(Interval::point).collect();
        let affine = Affine { terms: vec![Term { source, map, roundings: 0 }], bias, execution: Execution::PLAIN };
        nodes.push(Node { name: format!("z{i}"), size: weights.len(), op: Op::Affine(affine) });
        if i + 1 < layers.len() {
            nodes.push(Node { name: format!("h{i}"), size: weights.len(), op: Op::Relu(nodes.len() - 1) });
        }
    }
    let (output, input_shape, output_shape) = (nodes.len() - 1, vec![TRIALS.1[0]], vec![1]);
    let digest = Digest::of(b"random");
    Network::new(Parts { nodes, output, input_shape, output_shape, dropped: None, real_only: None, digest }).unwrap()
}

/// A program on its way, with what stands for the values of the last layer and their intervals.
struct Program {
    variables: ProblemVariables,
    constraints: Vec<Constraint>,
    values: Vec<Expression>,
    ends: Vec<[f64; 2]>,
}

impl Program {
    fn affine(&mut self, (weights, bias): &Layer) {
        let row = |(weights, bias): (&Vec<f64>, &f64)| {
            let mut sum = Expression::from(*bias);
            weights.iter().zip(&self.values).for_each(|(w, value)| sum.add_mul(*w, value));
            let end = |end: usize| -> f64 {
                let least = |(w, ends): (&f64, &[f64; 2])| w * ends[if *w >= 0.0 { end } else { 1 - end }];
                bias + weights.iter().zip(&self.ends).map(least).sum::<f64>()
            };
            (sum, [end(0), end(1)])
        };
        (self.values, self.ends) = weights.iter().zip(bias).map(row).unzip();
    }

    fn relu(&mut self) {
        let values = std::mem::take(&mut self.values);
        for (z, ends) in values.into_iter().zip(&mut self.ends) {
            let [l, u] = *ends;
            *ends = ends.map(|end| end.max(0.0));
            let value = match (l >= 0.0, u <= 0.0) {
                (true, _) => z,
                (_, true) => Expression::from(0.0),
                _ => {
                    let h: Variable = self.variables.add(variable().min(0.0).max(u));
                    let is_active: Variable = self.variables.add(variable().binary());
                    self.constraints.push(constraint!(h >= z.clone()));
                    self.constraints.push(constraint!(h <= z - l * (1.0 - is_active)));
                    self.constraints.push(constraint!(h <= u * is_active));
                    h.into()
                }
            };
            self.values.push(value);
        }
    }
}

/// The least output.
fn minimum(layers: &[Layer], region: &[[f64; 2]]) -> f64 {
    let mut variables = variables!();
    let values = region.iter().map(|[l, u]| variables.add(variable().min(*l).max(*u)).into()).collect();
    let mut program = Program { variables, constraints: Vec::new(), values, ends: region.to_vec() };
    for (i, layer) in layers.iter().enumerate() {
        if i > 0 {
            program.relu();
        }
        program.affine(layer);
    }
    let output = program.values.remove(0);
    #[cfg_attr(feature = "highs", allow(unused_mut))]
    let mut model = program.variables.minimise(output.clone()).using(solver);
    // It would stop within a ten-thousandth of the optimum.
    #[cfg(feature = "highs")]
    let mut model = model.set_mip_rel_gap(0.0).unwrap();
    program.constraints.into_iter().for_each(|constraint| {
        model.add_constraint(constraint);
    });
    model.solve().unwrap().eval(output)
}

/// Whether the output is never at most a threshold.
fn verdict(network: &Network, region: &[[f64; 2]], at_most: f64) -> Verdict {
    let bound = |[l, u]: &[f64; 2]| Bound { lower: Interval::point(*l), upper: Interval::point(*u) };
    let terms = vec![(Scalar::Output(0), Interval::point(1.0))];
    let atoms = vec![Atom { terms, at_most: Interval::point(at_most), strict: false }];
    let region = Region::of_box(region.iter().map(bound).collect());
    let case = Case { region: 0, atoms };
    let property = Property::new((TRIALS.1[0], 1), vec![region], vec![case]).unwrap();
    let options = Options { split: Split::Signs, timeout: TIMEOUT, ..Options::default() };
    Verifier::new(network.clone()).verify(&property, &options).unwrap().verdict
}

#[test]
fn splitting_signs_says_what_mixed_integer_programs_say() {
    let (mut decided, mut all) = (0, 0);
    for seed in 0..TRIALS.0 {
        let (layers, region) = layers(seed);
        let (network, least) = (network(&layers), minimum(&layers, &region));
        for distance in DISTANCES.map(|distance| distance * least.abs().max(1.0)) {
            for at_most in [least - distance, least + distance] {
                all += 1;
                match verdict(&network, &region, at_most) {
                    Verdict::Verified(..) => assert!(at_most < least, "seed {seed}: {at_most} {least}"),
                    Verdict::Violated(_) => assert!(at_most > least, "seed {seed}: {at_most} {least}"),
                    Verdict::Unknown(_) => continue,
                }
                decided += 1;
            }
        }
    }
    println!("{decided} of {all} queries decided");
    assert!(decided * 100 >= all * 98, "{decided} of {all} queries decided");
}
