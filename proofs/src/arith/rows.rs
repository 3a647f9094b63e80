//! Batches of coefficient rows.

/// `count` rows of `width` coefficients each, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rows {
    width: usize,
    values: Vec<f64>,
}

impl Rows {
    /// All-zero rows. `width` must not be zero.
    pub fn zeros(count: usize, width: usize) -> Self {
        Rows { width: width.max(1), values: vec![0.0; count * width.max(1)] }
    }

    /// Number of coefficients in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// The coefficients of all rows, one after the other.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The coefficients of all rows, to be written.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// The rows in order.
    pub fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width)
    }

    /// The rows in order, to be written.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        self.values.chunks_exact_mut(self.width)
    }

    /// Sets one coefficient; places outside the rows are ignored.
    pub fn set(&mut self, row: usize, column: usize, value: f64) {
        if column < self.width
            && let Some(place) = self.values.get_mut(row * self.width + column)
        {
            *place = value;
        }
    }

    /// Adds another batch of the same shape, element by element.
    pub fn add(&mut self, other: &Rows) {
        for (a, b) in self.values.iter_mut().zip(&other.values) {
            *a += b;
        }
    }
}
