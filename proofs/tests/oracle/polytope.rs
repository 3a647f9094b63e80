//! Bounded convex polytopes of few dimensions by their vertices, cut by half-spaces in exact arithmetic.

use super::dyadic::{Dyadic, Ratio};

/// `c . x + d`: the coefficients, then the constant.
#[derive(Clone, Debug)]
pub struct Linear(pub Vec<Dyadic>);

impl Linear {
    pub fn zero(dimension: usize) -> Self {
        Linear(vec![Dyadic::zero(); dimension + 1])
    }

    pub fn constant(dimension: usize, value: Dyadic) -> Self {
        let mut linear = Self::zero(dimension);
        linear.0[dimension] = value;
        linear
    }

    pub fn coordinate(dimension: usize, axis: usize) -> Self {
        let mut linear = Self::zero(dimension);
        linear.0[axis] = Dyadic::of(1.0);
        linear
    }

    /// Adds a multiple of another function.
    pub fn add(&mut self, times: &Dyadic, other: &Linear) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a = &*a + &(times * b));
    }

    pub fn negated(&self) -> Linear {
        Linear(self.0.iter().map(|c| -c).collect())
    }

    /// At a point in homogeneous coordinates.
    fn at(&self, point: &[Dyadic]) -> Dyadic {
        self.0.iter().zip(point).fold(Dyadic::zero(), |sum, (c, x)| &sum + &(c * x))
    }
}

/// A point `X / w`, and the constraints that hold there with equality.
#[derive(Clone, Debug)]
pub struct Vertex {
    /// `X`, then the positive `w`; integers without a common divisor, so that equal points are equal.
    pub coordinates: Vec<Dyadic>,
    tight: u64,
}

/// The convex hull of its vertices, all of which are extreme.
#[derive(Clone, Debug)]
pub struct Polytope {
    pub dimension: usize,
    pub vertices: Vec<Vertex>,
    /// How many constraints there are.
    constraints: u32,
}

impl Polytope {
    /// A box; empty where a lower end is above its upper end.
    pub fn of_box(ends: &[(Dyadic, Dyadic)]) -> Self {
        let dimension = ends.len();
        let mut polytope = Polytope { dimension, vertices: Vec::new(), constraints: 2 * dimension as u32 };
        if ends.iter().any(|(lower, upper)| lower > upper) {
            return polytope;
        }
        for corner in 0..1usize << dimension {
            let (mut coordinates, mut tight) = (Vec::new(), 0);
            for (axis, (lower, upper)) in ends.iter().enumerate() {
                let x = if corner >> axis & 1 == 0 { lower } else { upper };
                tight |= u64::from(x == lower) << (2 * axis) | u64::from(x == upper) << (2 * axis + 1);
                coordinates.push(x.clone());
            }
            coordinates.push(Dyadic::of(1.0));
            polytope.insert(coordinates, tight);
        }
        polytope
    }

    pub fn is_empty(&self) -> bool {
        self.vertices.is_empty()
    }

    fn insert(&mut self, mut coordinates: Vec<Dyadic>, tight: u64) {
        Dyadic::reduce(&mut coordinates);
        match self.vertices.iter_mut().find(|v| v.coordinates == coordinates) {
            Some(known) => known.tight |= tight,
            None => self.vertices.push(Vertex { coordinates, tight }),
        }
    }

    /// The values of a function at the vertices, each times the positive `w` of its vertex.
    pub fn values(&self, function: &Linear) -> Vec<Dyadic> {
        self.vertices.iter().map(|v| function.at(&v.coordinates)).collect()
    }

    /// The part where a function is not negative.
    ///
    /// Its vertices are the vertices there and the points where edges cross. Two vertices are the ends of an edge where no
    /// third one lies on all of the constraints that they lie on both: these are the vertices of the smallest face
    /// that contains the two.
    pub fn clip(&self, function: &Linear) -> Polytope {
        assert!(self.constraints < 64, "too many constraints");
        let mark = 1 << self.constraints;
        let mut part = Polytope { dimension: self.dimension, vertices: Vec::new(), constraints: self.constraints + 1 };
        let values = self.values(function);
        for (vertex, value) in self.vertices.iter().zip(&values).filter(|(_, value)| !value.is_negative()) {
            part.insert(vertex.coordinates.clone(), vertex.tight | if value.is_zero() { mark } else { 0 });
        }
        for (inner, high) in self.vertices.iter().zip(&values).filter(|(_, value)| value.is_positive()) {
            for (outer, low) in self.vertices.iter().zip(&values).filter(|(_, value)| value.is_negative()) {
                let common = inner.tight & outer.tight;
                if self.vertices.iter().filter(|v| v.tight & common == common).count() > 2 {
                    continue;
                }
                let cross = inner.coordinates.iter().zip(&outer.coordinates).map(|(i, o)| &(high * o) - &(low * i));
                part.insert(cross.collect(), common | mark);
            }
        }
        part
    }

    /// The smallest value of a function, if there is any point.
    pub fn minimum(&self, function: &Linear) -> Option<Ratio> {
        let values = self.values(function).into_iter().zip(&self.vertices);
        let ratios = values.map(|(over, v)| Ratio { over, under: v.coordinates[self.dimension].clone() });
        ratios.min_by(|a, b| a.cmp(b))
    }
}
