//! Arithmetic on shapes, and tables that say where elements move.
//!
//! Most rearrangements of a tensor treat its axes independently: the place of the source element that a result
//! element copies is a sum of one offset an axis. A [`Table`] holds these offsets for one axis of the result, with
//! nothing where no element is copied, and [`outer_sum`] adds them up for all elements in row-major order.

/// The most elements that a value may have.
const LARGEST: usize = 1 << 28;

/// For each index along an axis, or for each element of a result: where its element comes from, if from anywhere.
pub(crate) type Table = Vec<Option<usize>>;

/// The number of elements of a shape; `None` above [`LARGEST`], and for empty axes unless the shape is just `[0]`.
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    let product = shape.iter().try_fold(1, |n: usize, d| n.checked_mul(*d).filter(|n| *n <= LARGEST))?;
    (product > 0 || shape == [0]).then_some(product)
}

/// The tables that leave everything in its place.
pub(crate) fn tables(shape: &[usize]) -> Vec<Table> {
    let strides = (1..=shape.len()).map(|axis| shape.iter().skip(axis).product::<usize>());
    shape.iter().zip(strides).map(|(n, stride)| (0..*n).map(|i| Some(i * stride)).collect()).collect()
}

/// Makes an axis take its elements from the given places along it, and none from places outside.
pub(crate) fn redirect(tables: &mut [Table], axis: usize, places: impl Iterator<Item = i64>) {
    if let Some(table) = tables.get_mut(axis) {
        *table = places.map(|place| table.get(usize::try_from(place).ok()?).copied().flatten()).collect();
    }
}

/// The sum of one entry of each table, for all combinations in row-major order.
pub(crate) fn outer_sum(tables: &[Table]) -> Table {
    let sums = |places: Table, table: &Table| {
        let add = |place: Option<usize>| table.iter().map(move |offset| Some(place? + (*offset)?));
        places.into_iter().flat_map(add).collect()
    };
    tables.iter().fold(vec![Some(0)], sums)
}

/// The shape that NumPy's broadcasting gives to two shapes, if it does.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let padded = |shape: &[usize]| [vec![1; rank - shape.len()], shape.to_vec()].concat();
    let common = |pair| match pair {
        (n, m) if n == m || m == 1 => Some(n),
        (1, m) => Some(m),
        _ => None,
    };
    padded(a).into_iter().zip(padded(b)).map(common).collect()
}

/// Where each element of shape `to` comes from when shape `from`, which can be, is broadcast to it.
pub(crate) fn stretch(from: &[usize], to: &[usize]) -> Table {
    let added = to.len().saturating_sub(from.len());
    let mut all = [vec![vec![Some(0)]; added], tables(from)].concat();
    for (table, n) in all.iter_mut().zip(to).filter(|(table, n)| table.len() != **n) {
        *table = vec![Some(0); *n];
    }
    outer_sum(&all)
}

/// A dimension; 0, which no computation accepts, for one that does not exist.
pub(crate) fn at(shape: &[usize], axis: usize) -> usize {
    shape.get(axis).copied().unwrap_or(0)
}
