//! Forms in plain floats: elements as linear functions of the inputs, up to a radius.

use crate::net::Layer;

/// A constant and a slope for each input, and the radius.
#[derive(Clone)]
pub struct Form {
    line: Vec<f64>,
    radius: f64,
}

impl Form {
    /// Of all inputs.
    pub fn of_input(bounds: &[(f64, f64)]) -> Vec<Form> {
        let form = |(i, (l, u)): (usize, &(f64, f64))| {
            let mut line = vec![0.0; bounds.len() + 1];
            (line[0], line[i + 1]) = (l / 2.0 + u / 2.0, u / 2.0 - l / 2.0);
            Form { line, radius: 0.0 }
        };
        bounds.iter().enumerate().map(form).collect()
    }

    /// Of all values of a layer.
    pub fn of_layer(layer: &Layer, before: &[Form]) -> Vec<Form> {
        let form = |(weights, bias): (&[f64], f64)| {
            let mut sum = Form { line: vec![0.0; before[0].line.len()], radius: 0.0 };
            sum.line[0] = bias;
            for (w, form) in weights.iter().zip(before) {
                sum.line.iter_mut().zip(&form.line).for_each(|(sum, a)| *sum += w * a);
                sum.radius += w.abs() * form.radius;
            }
            sum
        };
        layer.rows().map(form).collect()
    }

    /// Of `max(0, z)`.
    pub fn of_relu(mut self, (l, u): (f64, f64)) -> Form {
        let slope = if l >= 0.0 { 1.0 } else { (u / (u - l)).max(0.0) };
        let half = if l < 0.0 { -slope * l / 2.0 } else { 0.0 };
        self.line.iter_mut().for_each(|a| *a *= slope);
        self.line[0] += half;
        Form { radius: slope * self.radius + half, ..self }
    }

    pub fn ends(&self) -> (f64, f64) {
        let reach = self.radius + self.line[1..].iter().map(|a| a.abs()).sum::<f64>();
        (self.line[0] - reach, self.line[0] + reach)
    }
}
