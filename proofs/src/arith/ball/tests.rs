use super::*;

/// 64-bit xorshift.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
    }

    fn pick(&mut self, list: &[f64]) -> f64 {
        list.iter().copied().reduce(|x, y| if self.unit() < 0.5 { x } else { y }).unwrap()
    }
}

/// A linear function, and a ball with a box that cuts it or may miss it.
#[derive(Debug)]
struct Program {
    a: Vec<f64>,
    ball: Ball,
    ends: Vec<Interval>,
}

impl Program {
    /// Numbers that coincide and vanish often, with equal steepness, fixed elements and centers outside of the box among them.
    fn random(norm: Norm, elements: usize, random: &mut Random) -> Self {
        let (mut a, mut center, mut scale, mut ends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..elements {
            let any = 4.0 * random.unit() - 2.0;
            a.push(random.pick(&[0.0, 1.0, -1.0, any, any]));
            center.push(2.0 * random.unit() - 1.0);
            scale.push(random.pick(&[1.0, 1.0, 0.25, 3.0]));
            let c = center.last().unwrap();
            let (below, above) = (random.pick(&[0.0, 0.1, 1.0, -0.1, 1e-17]), random.pick(&[0.0, 0.2, 0.7, 5.0]));
            ends.push(Interval { lo: c - below, hi: c - below + above });
        }
        let any = 3.0 * random.unit();
        let radius = Interval::point(random.pick(&[0.0, 0.3, 1.0, any, any]));
        let points = |list: Vec<f64>| list.into_iter().map(Interval::point).collect();
        Program { a, ball: Ball { norm, center: points(center), scale: points(scale), radius }, ends }
    }

    fn over(&self) -> Enclosure {
        Enclosure::of_intervals(self.ends.iter().copied())
    }

    /// A bound on the sizes of what is added up.
    fn size(&self) -> f64 {
        1.0 + self.a.iter().zip(&self.over().magnitude).map(|(a, m)| a.abs() * m).sum::<f64>()
    }

    /// The distance of a point from the center to the power p, less that of the radius.
    fn excess(&self, x: &[f64]) -> f64 {
        let steps = (0..x.len()).map(|i| self.ball.scale[i].lo * (x[i] - self.ball.center[i].lo));
        let r = self.ball.radius.lo;
        match self.ball.norm {
            Norm::L1 => steps.map(f64::abs).sum::<f64>() - r,
            Norm::L2 => steps.map(|s| s * s).sum::<f64>() - r * r,
        }
    }

    /// The minimum over the box and the ball, or `None` where they do not meet, by trying every set of elements that are at their ends (or
    /// at the center, for L1): the others are where the ball's surface puts them.
    fn solve(&self) -> Option<f64> {
        let n = self.a.len();
        let mut best: Option<f64> = None;
        for code in 0..4_usize.pow(u32::try_from(n).unwrap()) {
            let choice: Vec<usize> = (0..n).map(|i| code >> (2 * i) & 3).collect();
            for point in self.candidates(&choice) {
                let is_inside = point.iter().zip(&self.ends).all(|(x, e)| e.lo - 1e-13 <= *x && *x <= e.hi + 1e-13);
                if is_inside && self.excess(&point) <= 1e-12 {
                    let value = point.iter().zip(&self.a).map(|(x, a)| x * a).sum::<f64>();
                    best = Some(best.map_or(value, |best| best.min(value)));
                }
            }
        }
        best
    }

    /// Points with each element at its lower end (0), its upper end (1), the center (2), or on the ball's surface (3).
    fn candidates(&self, choice: &[usize]) -> Vec<Vec<f64>> {
        let (center, scale) = (|i: usize| self.ball.center[i].lo, |i: usize| self.ball.scale[i].lo);
        let at = |i: usize| [self.ends[i].lo, self.ends[i].hi, center(i), center(i)][choice[i]];
        let point: Vec<f64> = (0..choice.len()).map(at).collect();
        let free: Vec<usize> = (0..choice.len()).filter(|i| choice[*i] == 3).collect();
        let left = (-self.excess(&point)).max(0.0);
        let moved = |length: &dyn Fn(usize) -> f64| {
            let mut moved = point.clone();
            free.iter().for_each(|i| moved[*i] += length(*i) / scale(*i));
            moved
        };
        match self.ball.norm {
            _ if free.is_empty() => vec![point],
            Norm::L1 if free.len() > 1 => Vec::new(),
            Norm::L1 => vec![moved(&|_| left), moved(&|_| -left)],
            Norm::L2 => {
                let steepness = |i: usize| self.a[i] / scale(i);
                let all = free.iter().map(|i| steepness(*i) * steepness(*i)).sum::<f64>().sqrt();
                if all == 0.0 { vec![point.clone()] } else { vec![moved(&|i| -steepness(i) / all * left.sqrt())] }
            }
        }
    }

    /// The best multiplier for the ball alone.
    fn of_dual_norm(&self) -> f64 {
        let steepness = || self.a.iter().zip(&self.ball.scale).map(|(a, s)| (a / s.lo).abs());
        match self.ball.norm {
            Norm::L1 => steepness().fold(0.0, f64::max),
            Norm::L2 => steepness().map(|s| s * s).sum::<f64>().sqrt() / (2.0 * self.ball.radius.hi),
        }
    }
}

const NORMS: [Norm; 2] = [Norm::L1, Norm::L2];

#[test]
fn bounds_are_the_minimum_over_box_and_ball() {
    let mut random = Random(1);
    let mut counts = [0; 2];
    for (norm, elements) in NORMS.into_iter().flat_map(|norm| (1..=4).map(move |n| (norm, n))) {
        for _ in 0..300 {
            let program = Program::random(norm, elements, &mut random);
            let found = program.ball.minimum(&program.a, &program.over());
            let on_box: f64 = program.a.iter().zip(&program.ends).map(|(a, e)| (a * e.lo).min(a * e.hi)).sum();
            let Some(least) = program.solve() else {
                assert!(found > 1e20, "no point is left, but the bound is {found}: {program:?}");
                counts[0] += 1;
                continue;
            };
            // The oracle lets its points lie a little beyond the surface, which matters where ball and box hardly touch.
            let nearest = program.excess(&program.nearest());
            assert!(found <= least + 1e-11 * program.size() || nearest > 0.0, "{found} > {least}: {program:?}");
            // There the bound comes near the minimum as the multiplier grows, but never reaches it.
            let touches = nearest > -1e-9 * program.ball.radius.hi;
            let most = if touches && norm == Norm::L2 { 1e-6 } else { 1e-9 } * program.size();
            assert!(found.max(on_box) >= least - most, "{found} < {least}: {program:?}");
            counts[1] += 1;
        }
    }
    assert!(counts[0] > 50 && counts[1] > 1000, "{counts:?}");
}

impl Program {
    /// The point of the box that is nearest to the center.
    fn nearest(&self) -> Vec<f64> {
        self.ball.center.iter().zip(&self.ends).map(|(c, e)| c.lo.max(e.lo).min(e.hi)).collect()
    }
}

#[test]
fn no_other_multiplier_proves_more() {
    let mut random = Random(2);
    let mut gains = [0; 2];
    for (kind, elements) in [(0, 64), (1, 64), (0, 500), (1, 500)].repeat(50) {
        let mut program = Program::random(NORMS[kind], elements, &mut random);
        // Wide enough for the box to hold some of the ball.
        program.ball.radius = Interval::point(random.pick(&[1.0, 3.0, 10.0]) + program.ball.radius.hi);
        for (end, c) in program.ends.iter_mut().zip(&program.ball.center) {
            *end = Interval { lo: end.lo.min(c.lo), hi: end.hi.max(c.lo) };
        }
        let over = program.over();
        let found = program.ball.minimum(&program.a, &over);
        let chosen = program.ball.multiplier(&program.a, &over);
        let alone = program.ball.minimum_with(program.of_dual_norm(), &program.a, &over);
        gains[kind] += usize::from(found > alone + 0.01);
        let others =
            (-40..40).map(|step| chosen * 1.1_f64.powi(step)).chain([0.0, chosen * 0.999_99, chosen * 1.000_01]);
        for other in others.chain((0..20).map(|_| 4.0 * random.unit())) {
            let with = program.ball.minimum_with(other, &program.a, &over);
            assert!(found >= with - 1e-12 * program.size(), "{chosen}: {found}, {other}: {with}");
        }
        assert!(found >= alone - 1e-12 * program.size());
    }
    assert!(gains.iter().all(|count| *count > 20), "{gains:?}");
}

#[test]
fn overflow_and_numbers_that_are_none_prove_nothing() {
    let mut random = Random(3);
    for norm in NORMS.repeat(200) {
        let mut program = Program::random(norm, 3, &mut random);
        let over = program.over();
        let meets = program.excess(&program.nearest()) <= 0.0;
        for wrong in [f64::NAN, -f64::NAN] {
            program.a[1] = wrong;
            let found = program.ball.minimum(&program.a, &over);
            assert!(found.is_nan() || found == f64::NEG_INFINITY, "{found} {program:?}");
        }
        for huge in [1e300, -1e300, 1e155, -1e155, 1e-300] {
            program.a[1] = huge;
            let at_nearest: f64 = program.a.iter().zip(program.nearest()).map(|(a, x)| a * x).sum();
            let found = program.ball.minimum(&program.a, &over);
            let is_true = found.is_nan() || found <= at_nearest + at_nearest.abs() * 1e-14 + 1e-13;
            assert!(is_true || !meets, "{found} {program:?}");
        }
    }
}
