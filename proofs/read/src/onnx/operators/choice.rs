//! Operators whose constant operands say which elements are taken from where.

use std::collections::BTreeSet;

use super::{Call, Elements, Result, Rounding, Table, Value, at, broadcast, outer_sum, stretch, tables};

/// Values put together: each element of the result is an element of one of them.
fn merge<'a>(call: &mut Call<'_, 'a>, shape: Vec<usize>, parts: [(&Value<'a>, Table); 2]) -> Result<Value<'a>> {
    let [(a, a_places), (b, b_places)] = parts;
    if let (Some(a), Some(b)) = (a.integers(), b.integers()) {
        let pick = |(i, j): (Option<usize>, Option<usize>)| i.map_or_else(|| b.get(j?), |i| a.get(i)).copied();
        let merged = a_places.into_iter().zip(b_places).map(pick).collect();
        let merged = call.demand(merged, "places in constants", "others")?;
        return Ok(Value { shape, elements: Elements::Integer(merged) });
    }
    let parts = vec![(a, None, Some(a_places)), (b, None, Some(b_places))];
    call.rounding(Rounding::Nothing, |call| call.sum(shape, Vec::new(), parts))
}

/// `Where`: elements of the second operand where the constant first one is true, else of the third.
pub(super) fn choose<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (condition, yes, no) = (call.input(0)?, call.input(1)?, call.input(2)?);
    call.demand(condition.integers(), "a constant condition", condition.kind())?;
    let shape = broadcast(&condition.shape, &yes.shape).and_then(|shape| broadcast(&shape, &no.shape));
    let shape = call.demand(shape, "shapes that broadcast", "others")?;
    call.size(&shape)?;
    let condition = call.stretch(condition, &shape)?;
    let places = |value: &Value<'a>, if_true: bool| -> Table {
        let chosen = condition.integers().into_iter().flatten().map(|truth| (*truth != 0) == if_true);
        stretch(&value.shape, &shape).into_iter().zip(chosen).map(|(place, chosen)| place.filter(|_| chosen)).collect()
    };
    let parts = [(yes, places(yes, true)), (no, places(no, false))];
    merge(call, shape, parts)
}

/// `Trilu`: the upper or lower triangle of matrices from diagonal `k` on, zero elsewhere.
pub(super) fn triangle<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (value, is_upper) = (call.input(0)?, call.flag("upper", true)?);
    let diagonal = call.list(1)?.unwrap_or(&[0]);
    let (&[diagonal], &[.., rows, columns]) = (diagonal, value.shape.as_slice()) else {
        return Err(call.refuse("matrices and one diagonal", format!("shape {:?} and {diagonal:?}", value.shape)));
    };
    let size = call.size(&value.shape)?;
    let is_kept = |place: &usize| {
        let [row, column] = [(place / columns) % rows, place % columns].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        let border = row.saturating_add(diagonal);
        if is_upper { column >= border } else { column <= border }
    };
    call.place(value, value.shape.clone(), (0..size).map(|place| Some(place).filter(is_kept)).collect())
}

/// The distance of neighbouring elements along an axis.
fn stride(shape: &[usize], axis: usize) -> usize {
    shape.iter().skip(axis + 1).product()
}

/// The place of each element that `GatherElements` and `ScatterElements` name: that of its index, but along `axis` where
/// the index says.
fn named_elements(call: &mut Call<'_, '_>) -> Result<(Vec<usize>, Vec<usize>)> {
    let (value, indices, axis) = (call.input(0)?, call.input(1)?, call.integer("axis")?.unwrap_or(0));
    let axis = call.axis(axis, value.shape.len())?;
    let numbers = call.demand(indices.integers(), "integers as input 1", indices.kind())?;
    let pairs = || indices.shape.iter().zip(&value.shape).enumerate();
    let fits = indices.shape.len() == value.shape.len() && pairs().all(|(i, (n, m))| i == axis || n <= m);
    call.require(fits, format!("indices within {:?}", value.shape), format!("{:?}", indices.shape))?;
    let mut all = tables(&value.shape);
    for (table, (i, (n, _))) in all.iter_mut().zip(pairs()) {
        *table = if i == axis { vec![Some(0); *n] } else { table.iter().take(*n).copied().collect() };
    }
    let (length, step) = (at(&value.shape, axis), stride(&value.shape, axis));
    let index = |(base, index): (usize, &i64)| Ok(base + call.axis(*index, length)? * step);
    let places = outer_sum(&all).into_iter().flatten().zip(numbers).map(index).collect::<Result<_>>()?;
    Ok((indices.shape.clone(), places))
}

/// The place of each element of the slices that `GatherND` and `ScatterND` name: the last axis of the indices holds the
/// first coordinates of a slice.
fn named_slices(call: &mut Call<'_, '_>) -> Result<(Vec<usize>, Vec<usize>)> {
    let (value, indices) = (call.input(0)?, call.input(1)?);
    let numbers = call.demand(indices.integers(), "integers as input 1", indices.kind())?;
    let (depth, outer) = indices.shape.split_last().map_or((0, &[][..]), |(depth, outer)| (*depth, outer));
    let expected = format!("indices of 1 to {} coordinates", value.shape.len());
    let inner = value.shape.get(depth..).filter(|_| depth > 0);
    let inner = call.demand(inner, expected, format!("{:?}", indices.shape))?;
    let shape = [outer, inner].concat();
    call.size(&shape)?;
    let slice: usize = inner.iter().product();
    let mut places = Vec::new();
    for tuple in numbers.chunks(depth) {
        let mut start = 0;
        for (axis, index) in tuple.iter().enumerate() {
            start += call.axis(*index, at(&value.shape, axis))? * stride(&value.shape, axis);
        }
        places.extend(start..start + slice);
    }
    Ok((shape, places))
}

/// `GatherElements` and `GatherND` with constant indices.
pub(super) fn gather<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let batch = call.integer("batch_dims")?.unwrap_or(0);
    call.require(batch == 0, "batch_dims 0", batch)?;
    let (shape, places) = if call.operator == "GatherND" { named_slices(call)? } else { named_elements(call)? };
    call.place(call.input(0)?, shape, places.into_iter().map(Some).collect())
}

/// `ScatterElements`, `Scatter` and `ScatterND` with constant indices, none of them twice: the first operand, but the
/// third one's elements at the places named.
pub(super) fn scatter<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let reduction = call.text("reduction", "none")?;
    call.require(reduction == "none", "reduction none", reduction)?;
    let (shape, named) = if call.operator == "ScatterND" { named_slices(call)? } else { named_elements(call)? };
    let (value, updates) = (call.input(0)?, call.input(2)?);
    call.require(updates.shape == shape, format!("updates of shape {shape:?}"), format!("{:?}", updates.shape))?;
    let is_distinct = named.iter().collect::<BTreeSet<_>>().len() == named.len();
    call.require(is_distinct, "distinct indices", "one of them twice")?;
    let size = call.size(&value.shape)?;
    let mut kept: Table = (0..size).map(Some).collect();
    let mut replaced: Table = vec![None; size];
    for (update, place) in named.into_iter().enumerate() {
        kept.get_mut(place).into_iter().for_each(|kept| *kept = None);
        replaced.get_mut(place).into_iter().for_each(|replaced| *replaced = Some(update));
    }
    merge(call, value.shape.clone(), [(value, kept), (updates, replaced)])
}
