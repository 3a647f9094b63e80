//! A plain forward pass in `f64`: not rigorous, for display and for searching.

use crate::network::{Affine, Network, Op};

impl Network {
    /// The outputs at a point, in binary64 with rounding errors; empty when `input` has the wrong length.
    pub fn evaluate(&self, input: &[f64]) -> Vec<f64> {
        if input.len() != self.input_size() {
            return Vec::new();
        }
        let mut values = vec![input.to_vec()];
        for node in self.nodes().iter().skip(1) {
            let of = |source: usize| values.get(source).map_or(&[][..], Vec::as_slice);
            let value = match &node.op {
                Op::Input => Vec::new(),
                Op::Relu(source) => of(*source).iter().map(|z| z.max(0.0)).collect(),
                Op::Affine(affine) => affine.evaluate(node.size, of),
            };
            values.push(value);
        }
        values.into_iter().nth(self.output()).unwrap_or_default()
    }
}

impl Affine {
    fn evaluate<'v>(&self, size: usize, of: impl Fn(usize) -> &'v [f64]) -> Vec<f64> {
        let mut value = vec![0.0; size];
        value.iter_mut().zip(&self.bias).for_each(|(v, b)| *v = b.middle());
        for term in &self.terms {
            term.map.apply(of(term.source), &mut value);
        }
        value
    }
}
