//! The slopes and multipliers that the prover guesses.

use bartizan_proof::certificate::{Slopes, Witness};

use crate::prover::{Mistake, Prover, Scope};

impl Prover<'_> {
    pub fn witness(&mut self, scope: &Scope) -> Witness {
        match self.random.below(10) {
            0..=4 => Witness::Default,
            5 if scope.kept > 0 => Witness::Kept(self.number_below(scope.kept)),
            _ => Witness::Own(self.slopes(scope)),
        }
    }

    pub fn slopes(&mut self, scope: &Scope) -> Slopes {
        let mut slopes = Slopes::default();
        let hidden = 1..self.subject.sizes.len() - 1;
        for place in hidden {
            if self.random.chance(0.7) {
                let size = self.subject.sizes[place] + usize::from(self.errs(Mistake::Count));
                slopes.alpha.insert(place, (0..size).map(|_| self.alpha()).collect());
            }
        }
        let extra = usize::from(self.errs(Mistake::Count));
        slopes.beta = (0..self.random.between(0, scope.cuts + extra)).map(|_| self.multiplier()).collect();
        let constraints = self.random.between(0, self.subject.constraints + extra);
        slopes.constraints = (0..constraints).map(|_| self.multiplier()).collect();
        slopes
    }

    fn alpha(&mut self) -> f32 {
        if self.errs(Mistake::Alpha) {
            return self.random.pick(&[2.0, -0.5, 1.000_000_1, f32::INFINITY, -1e-45]);
        }
        match self.random.below(4) {
            0 => self.random.pick(&[0.0, 1.0]),
            1 => f32::NAN,
            2 => self.random.below(129) as f32 / 128.0,
            _ => self.random.unit() as f32,
        }
    }

    pub fn multiplier(&mut self) -> f32 {
        if self.errs(Mistake::Multiplier) {
            return self.random.pick(&[-1.0, -1.0, -0.5, f32::NAN, f32::INFINITY, -1e-45]);
        }
        match self.random.below(3) {
            0 => self.random.unit() as f32,
            _ => self.random.pick(&[0.0, 1.0, 1.0, 0.5, 2.0, 1e-45, 3e38]),
        }
    }
}
