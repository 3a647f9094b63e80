//! Arithmetic on shapes, and tables that say where elements move.
//!
//! Most rearrangements of a tensor treat its axes independently: the place of the source element that a result
//! element copies is a sum of one offset an axis. A [`Table`] holds these offsets for one axis of the result, with
//! nothing where no element is copied, and [`outer_sum`] adds them up for all elements in row-major order.

/// The most elements that a value may have.
pub(crate) const LARGEST: usize = 1 << 28;

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

/// The sum of one entry of each table, for all combinations in row-major order.
pub(crate) fn outer_sum(tables: &[Table]) -> Table {
    let mut places = vec![Some(0)];
    for table in tables {
        let extend = |place: &Option<usize>| {
            let place = *place;
            table.iter().map(move |offset| Some(place? + (*offset)?))
        };
        places = places.iter().flat_map(extend).collect();
    }
    places
}

/// The shape that NumPy's broadcasting gives to two shapes, if it does.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let dimension = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| at(shape, i));
    let common = |axis| match (dimension(a, axis), dimension(b, axis)) {
        (n, m) if n == m || m == 1 => Some(n),
        (1, m) => Some(m),
        _ => None,
    };
    (0..rank).map(common).collect()
}

/// Where each element of shape `to` comes from when shape `from` is broadcast to it; `None` when that is the same
/// place. Assumes that `from` can be broadcast to `to`.
pub(crate) fn broadcast_places(from: &[usize], to: &[usize]) -> Option<Table> {
    let added = to.len().saturating_sub(from.len());
    if from.iter().eq(to.iter().skip(added)) && to.iter().take(added).all(|n| *n == 1) {
        return None;
    }
    let repeat = |n: &usize| vec![Some(0); *n];
    let mut all: Vec<Table> = to.iter().take(added).map(repeat).collect();
    let stretch = |(table, n): (Table, &usize)| if table.len() == *n { table } else { repeat(n) };
    all.extend(tables(from).into_iter().zip(to.iter().skip(added)).map(stretch));
    Some(outer_sum(&all))
}

/// A dimension; 0, which no computation accepts, for one that does not exist.
pub(crate) fn at(shape: &[usize], axis: usize) -> usize {
    shape.get(axis).copied().unwrap_or(0)
}
