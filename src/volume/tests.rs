use bartizan_proof::property::{Atom, Ball, Bound, Case, Norm, Variable};
use bartizan_proof::{Interval, Shares};
use rayon::ThreadPoolBuilder;

use super::*;
use crate::branch::tree::PartKind;
use crate::random_networks::{Builder, random_point, random_region};

const LONG: Duration = Duration::from_secs(600);

/// A network of a few inputs, two layers of ReLUs and two outputs, and a region of it.
fn network(seed: u64, inputs: usize) -> (Network, Region) {
    let mut builder = Builder::new(seed, inputs);
    let network = builder.dense(6).relu().dense(6).relu().dense(2).network();
    let region = random_region(&mut builder, inputs, 1.0);
    (network, region)
}

fn atom(terms: &[(usize, f64)], at_most: f64) -> Atom {
    let terms = terms.iter().map(|(output, c)| (Variable::Output(*output), Interval::point(*c))).collect();
    Atom { terms, at_most: Interval::point(at_most), strict: false }
}

fn property(inputs: usize, region: Region, cases: Vec<Vec<Atom>>) -> Property {
    let cases = cases.into_iter().map(|atoms| Case { region: 0, atoms }).collect();
    Property::new((inputs, 2), vec![region], cases).unwrap()
}

fn measured(network: &Network, property: &Property, goal: Goal) -> Result<Measured, VolumeError> {
    measure((network, &Model::of(network)), property, goal)
}

/// At how many of some random points of the region a case happens, as a share.
fn sampled(network: &Network, property: &Property) -> f64 {
    const POINTS: u32 = 10_000;
    let mut builder = Builder::new(99, 1);
    let holds = |atom: &Atom, y: &[f64]| {
        let value = |(v, c): &(Variable, Interval)| match v {
            Variable::Output(i) => c.lo * y[*i],
            Variable::Input(_) => unreachable!("no atom here speaks of inputs"),
        };
        atom.terms.iter().map(value).sum::<f64>() <= atom.at_most.lo
    };
    let mut happens = || {
        let y = network.evaluate(&random_point(&mut builder, &property.regions()[0]));
        property.cases().iter().any(|case| case.atoms.iter().all(|atom| holds(atom, &y)))
    };
    f64::from((0..POINTS).map(|_| u32::from(happens())).sum::<u32>()) / f64::from(POINTS)
}

#[test]
fn shares_enclose_what_sampling_finds() {
    let (mut both, mut parts) = (0, 0);
    for seed in 0..12 {
        let inputs = 1 + seed as usize % 3;
        let (network, region) = network(seed, inputs);
        let middle = network.evaluate(&random_point(&mut Builder::new(seed, 1), &region));
        let band = vec![atom(&[(0, 1.0)], middle[0] + 0.2), atom(&[(0, -1.0)], -middle[0] + 0.2)];
        for cases in [vec![band.clone()], vec![band, vec![atom(&[(1, 1.0), (0, -1.0)], 0.0)]]] {
            let property = property(inputs, region.clone(), cases);
            let undecided = [0.01, 0.05, 0.2][inputs - 1];
            let found = measured(&network, &property, Goal { undecided, timeout: LONG }).unwrap();
            let (shares, (numbers, stop)) = (found.proved.regions()[0], found.regions[0]);
            assert_eq!((stop, shares.undecided() <= undecided + 1e-9), (Stop::Enough, true), "seed {seed}: {shares:?}");
            // Five standard deviations of a share of a half.
            let (rate, slack) = (sampled(&network, &property), 0.025);
            let ends = [shares.violated() - slack, 1.0 - shares.certified() + slack];
            assert!(ends[0] <= rate && rate <= ends[1], "seed {seed}: {rate} outside {ends:?}");
            let again = check::volume(&network, &property, &found.certificate, NonZeroUsize::MIN).unwrap();
            assert_eq!(again, found.proved);
            both += usize::from(numbers.certified > 0 && numbers.violated > 0);
            parts += numbers.certified + numbers.violated + numbers.undecided;
            assert!(parts >= found.proved.leaves());
        }
    }
    assert!(both > 10 && parts > 1_000, "{both} with both, {parts} parts");
}

#[test]
fn everything_is_certified_or_violated_where_one_bound_says_so() {
    let (network, region) = network(3, 3);
    let goal = Goal { undecided: 0.0, timeout: LONG };
    let of = |cases: Vec<Vec<Atom>>| -> Shares {
        measured(&network, &property(3, region.clone(), cases), goal).unwrap().proved.regions()[0]
    };
    let never = vec![atom(&[(0, 1.0)], -1e6)];
    let always = vec![atom(&[(0, 1.0)], 1e6), atom(&[(1, 1.0)], 1e6)];
    assert_eq!(of(vec![never.clone()]).certified(), 1.0);
    assert_eq!(of(vec![never.clone(), always.clone()]).violated(), 1.0);
    assert_eq!(of(vec![never, always, vec![]]).violated(), 1.0);
}

#[test]
fn threads_change_nothing_and_a_late_search_is_cut_off() {
    let (network, region) = network(5, 2);
    let middle = network.evaluate(&random_point(&mut Builder::new(5, 1), &region));
    let property = property(2, region, vec![vec![atom(&[(0, 1.0)], middle[0])]]);
    let certificate = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| measured(&network, &property, Goal { undecided: 0.01, timeout: LONG })).unwrap().certificate
    };
    assert!(certificate(1) == certificate(2) && certificate(1) == certificate(3));
    for timeout in [Duration::ZERO, Duration::from_millis(50)] {
        let found = measured(&network, &property, Goal { undecided: 0.0, timeout }).unwrap();
        let (shares, (parts, stop)) = (found.proved.regions()[0], found.regions[0]);
        assert_eq!(stop, Stop::Late);
        assert!(shares.undecided() > 0.0 && parts.undecided > 0 && found.time < Duration::from_secs(10));
    }
}

#[test]
fn what_is_no_box_of_few_inputs_is_refused() {
    let (network, region) = network(1, 2);
    let goal = Goal { undecided: 0.1, timeout: LONG };
    let cases = || vec![vec![atom(&[(0, 1.0)], 0.0)]];
    let constraint = Atom { terms: vec![(Variable::Input(0), Interval::point(1.0))], ..atom(&[], 0.5) };
    let one = Interval::point(1.0);
    let ball = Ball { norm: Norm::L2, center: vec![one; 2], scale: vec![one; 2], radius: one };
    for other in
        [Region { constraints: vec![constraint], ..region.clone() }, Region { ball: Some(ball), ..region.clone() }]
    {
        let error = measured(&network, &property(2, other, cases()), goal).unwrap_err();
        let expected = "region 0 is not a box: constraints or a ball restrict it, and volume is measured in boxes only";
        assert_eq!(error.to_string(), expected);
    }
    let wide = Builder::new(1, 65).dense(2).network();
    let unit = Bound { lower: Interval::point(0.0), upper: one };
    let error = measured(&wide, &property(65, Region::of_box(vec![unit; 65]), cases()), goal).unwrap_err();
    assert_eq!(error.to_string(), "region 0: volume is measured where at most 64 inputs vary, found 65");
    let error = measured(&network, &property(65, Region::of_box(vec![unit; 65]), cases()), goal).unwrap_err();
    assert!(matches!(error, VolumeError::Property(_)), "{error}");
}

#[test]
fn percentages_are_rounded_against_what_is_claimed() {
    let both = |share: f64| [percent(share, false), percent(share, true)];
    assert_eq!(both(0.0), ["0.0000", "0.0000"]);
    assert_eq!(both(1.0), ["100.0000", "100.0000"]);
    assert_eq!(both(0.5 + f64::EPSILON), ["50.0000", "50.0001"]);
    assert_eq!(both(1.0 - f64::EPSILON), ["99.9999", "100.0000"]);
    assert_eq!(both(0.123_456), ["12.3455", "12.3456"]);
}

/// The parts that are drawn have the shares that the checker computed.
#[test]
fn maps_add_up_to_the_shares() {
    let (network, region) = network(3, 2);
    let middle = network.evaluate(&random_point(&mut Builder::new(3, 1), &region))[0];
    let property = property(2, region, vec![vec![atom(&[(0, 1.0)], middle)]]);
    let found = measured(&network, &property, Goal { undecided: 0.05, timeout: LONG }).unwrap();
    let map = found.maps[0].as_ref().unwrap();
    assert_eq!(map.inputs, [0, 1]);
    let area = |ends: &[Interval]| ends.iter().map(|end| end.hi - end.lo).product::<f64>();
    let whole: f64 = area(&property.regions()[0].bounds.iter().map(|bound| bound.outer()).collect::<Vec<_>>());
    let share =
        |kind| map.parts.iter().filter(|part| part.kind == kind).map(|part| area(&part.ends)).sum::<f64>() / whole;
    let shares = &found.proved.regions()[0];
    assert!((share(PartKind::Certified) - shares.certified()).abs() < 1e-9);
    assert!((share(PartKind::Violated) - shares.violated()).abs() < 1e-9);
    assert!((share(PartKind::Undecided) - shares.undecided()).abs() < 1e-9);
    assert!(shares.certified() > 0.0 && shares.violated() > 0.0);
    let (network, region) = self::network(3, 3);
    let property = self::property(3, region, vec![vec![atom(&[(0, 1.0)], middle)]]);
    assert_eq!(measured(&network, &property, Goal { undecided: 0.9, timeout: LONG }).unwrap().maps, [None]);
}
