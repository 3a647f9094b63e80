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

    /// No rows yet, with room for some. `width` must not be zero.
    pub fn with_room(count: usize, width: usize) -> Self {
        Rows { width: width.max(1), values: Vec::with_capacity(count * width.max(1)) }
    }

    /// Appends a row, with zeros where there is too little and without what is too much.
    pub fn push(&mut self, row: impl Iterator<Item = f64>) {
        let end = self.values.len() + self.width;
        self.values.extend(row.take(self.width));
        self.values.resize(end, 0.0);
    }

    /// Appends a row of `N` coefficients, which must be the width.
    pub fn push_array<const N: usize>(&mut self, row: [f64; N]) {
        self.values.extend_from_slice(&row);
    }

    /// Removes all rows.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// Removes the last row, which must exist.
    pub fn pop(&mut self) -> Vec<f64> {
        self.values.split_off(self.values.len().saturating_sub(self.width))
    }

    /// Number of coefficients in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// The coefficients of all rows, one after the other, to be written.
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

    /// The rows in order, of `N` coefficients each, which must be the width.
    pub fn arrays<const N: usize>(&self) -> &[[f64; N]] {
        self.values.as_chunks().0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted() {
        let mut rows = Rows::zeros(3, 5);
        assert_eq!((rows.count(), rows.iter().flatten().sum::<f64>()), (3, 0.0));
        rows.clear();
        assert_eq!((rows.count(), Rows::with_room(4, 5).count()), (0, 0));
    }

    #[test]
    fn pushed_rows_come_back() {
        let mut rows = Rows::with_room(1, 3);
        rows.push([1.0, 2.0].into_iter());
        rows.push_array([3.0, 4.0, 5.0]);
        rows.push([6.0; 7].into_iter());
        assert_eq!(rows.arrays(), [[1.0, 2.0, 0.0], [3.0, 4.0, 5.0], [6.0; 3]]);
        assert_eq!((rows.pop(), rows.count()), (vec![6.0; 3], 2));
    }
}
