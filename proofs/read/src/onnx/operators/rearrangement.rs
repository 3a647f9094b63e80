//! Operators that only move elements: they give other shapes, pick, repeat, join or pad.

use super::{
    Call, Interval, Part, Result, Table, Tensor, Value, at, broadcast, broadcast_places, count, outer_sum, tables,
};

/// `Reshape`: 0 keeps a dimension (unless `allowzero`), -1 takes what is left.
pub(super) fn reshape<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let allows_zero = call.flag("allowzero", false)?;
    let wanted = call.list(1)?.ok_or_else(|| call.refuse("a shape as input 1", "none"))?;
    let size: usize = value.shape().iter().product();
    let with_rest = |rest: usize| -> Option<Vec<usize>> {
        let dimension = |(axis, n): (usize, &i64)| match n {
            0 if !allows_zero => Some(at(value.shape(), axis)),
            -1 => Some(rest),
            n => usize::try_from(*n).ok(),
        };
        wanted.iter().enumerate().map(dimension).collect()
    };
    let known = with_rest(1).and_then(|shape| count(&shape)).filter(|known| *known > 0);
    let shape = known.and_then(|known| with_rest(size / known)).filter(|shape| count(shape) == Some(size));
    let shape = shape.filter(|_| wanted.iter().filter(|n| **n == -1).count() < 2);
    let shape = shape.ok_or_else(|| call.refuse(format!("a shape of {size} elements"), format!("{wanted:?}")))?;
    Ok(value.reshaped(shape))
}

/// `Flatten`: a matrix, split before `axis`.
pub(super) fn flatten<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let axis = call.integer("axis")?.unwrap_or(1);
    let rank = value.shape().len();
    let axis = if usize::try_from(axis) == Ok(rank) { rank } else { call.axis(axis, rank)? };
    let (rows, columns) = value.shape().split_at_checked(axis).unwrap_or_default();
    Ok(value.reshaped(vec![rows.iter().product(), columns.iter().product()]))
}

/// `Squeeze`: without some axes of one element, or all of them.
pub(super) fn squeeze<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let shape = value.shape();
    let axes = match call.list_or("axes", 1)? {
        Some(axes) if axes.is_empty() => return Err(call.refuse("axes, or none at all", "an empty list")),
        Some(axes) => call.axes(&axes, shape.len())?,
        None => (0..shape.len()).filter(|axis| at(shape, *axis) == 1).collect(),
    };
    let fits = axes.iter().all(|axis| at(shape, *axis) == 1);
    call.require(fits, "axes of one element", format!("axes {axes:?} of {shape:?}"))?;
    let kept = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, n)| *n);
    Ok(value.reshaped(kept.collect()))
}

/// `Unsqueeze`: with new axes of one element.
pub(super) fn unsqueeze<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let axes = call.list_or("axes", 1)?.ok_or_else(|| call.refuse("axes", "none"))?;
    let rank = value.shape().len() + axes.len();
    let axes = call.axes(&axes, rank)?;
    let mut kept = value.shape().iter();
    let shape = (0..rank).filter_map(|axis| if axes.contains(&axis) { Some(1) } else { kept.next().copied() });
    Ok(value.reshaped(shape.collect()))
}

/// `Transpose`: the axes in another order, reversed unless `perm` says which.
pub(super) fn transpose<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let rank = value.shape().len();
    let order = match call.integers("perm")? {
        Some(perm) => perm.iter().map(|axis| call.axis(*axis, rank)).collect::<Result<Vec<_>>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    call.require(sorted.into_iter().eq(0..rank), format!("an order of {rank} axes"), format!("{order:?}"))?;
    let tables = tables(value.shape());
    let permuted: Vec<Table> = order.iter().filter_map(|axis| tables.get(*axis).cloned()).collect();
    call.rearrange(value, &permuted)
}

/// `Expand`: broadcast to a shape, or with it to a larger one.
pub(super) fn expand<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (value, wanted) = (call.input(0)?, call.shape(1)?);
    let expected = || call.refuse(format!("a shape that broadcasts with {:?}", value.shape()), format!("{wanted:?}"));
    let shape = broadcast(value.shape(), &wanted).ok_or_else(expected)?;
    call.size(&shape)?;
    let Some(places) = broadcast_places(value.shape(), &shape) else { return Ok(value.reshaped(shape)) };
    call.place(value, shape, places)
}

/// `Concat` along an axis.
pub(super) fn concat<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let first = call.input(0)?.shape();
    let axis = call.integer("axis")?.ok_or_else(|| call.refuse("attribute axis", "none"))?;
    let axis = call.axis(axis, first.len())?;
    let values = (0..call.inputs.len()).map(|i| call.input(i)).collect::<Result<Vec<_>>>()?;
    let fits = |shape: &[usize]| {
        shape.len() == first.len() && shape.iter().zip(first).enumerate().all(|(i, (a, b))| a == b || i == axis)
    };
    if let Some(other) = values.iter().map(|value| value.shape()).find(|shape| !fits(shape)) {
        return Err(call.refuse(format!("shape {first:?} but for axis {axis}"), format!("{other:?}")));
    }
    let lists: Option<Vec<&[i64]>> = values.iter().map(|value| value.integers()).collect();
    if let (1, Some(lists)) = (first.len(), lists) {
        return Ok(Value::Constant(Tensor::list(lists.concat())));
    }
    let mut shape = first.to_vec();
    let total = values.iter().try_fold(0usize, |total, value| total.checked_add(at(value.shape(), axis)));
    shape.splice(axis..=axis, total);
    call.size(&shape)?;
    let (mut before, mut parts) = (0, Vec::new());
    for value in values {
        let mut tables = tables(value.shape());
        if let Some(table) = tables.get_mut(axis) {
            table.splice(..0, vec![None; before]);
            before = table.len();
            table.resize(at(&shape, axis), None);
        }
        parts.push(Part { value, places: Some(outer_sum(&tables)), weights: None });
    }
    call.sum(shape, Vec::new(), parts)
}

/// `Slice`: for each axis the elements from `start` to before `end` in steps.
pub(super) fn slice<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let rank = value.shape().len();
    let mut required = |name, index| call.list_or(name, index)?.ok_or_else(|| call.refuse(name, "none"));
    let (starts, ends) = (required("starts", 1)?, required("ends", 2)?);
    let axes = call.list_or("axes", 3)?.unwrap_or_else(|| (0..).take(starts.len()).collect());
    let steps = call.list(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    let sizes = [starts.len(), ends.len(), axes.len(), steps.len()];
    call.require(sizes.iter().all(|n| *n == starts.len()), "starts, ends, axes and steps alike", format!("{sizes:?}"))?;
    call.axes(&axes, rank)?;
    let mut tables = tables(value.shape());
    for ((axis, step), (start, end)) in axes.iter().zip(steps).zip(starts.iter().zip(ends)) {
        call.require(step != 0, "a step that is not 0", "0")?;
        let axis = call.axis(*axis, rank)?;
        if let Some(table) = tables.get_mut(axis) {
            *table = sliced(table, (*start, end), step);
        }
    }
    call.rearrange(value, &tables)
}

fn sliced(table: &Table, (start, end): (i64, i64), step: i64) -> Table {
    let length = i64::try_from(table.len()).unwrap_or(i64::MAX);
    let from_end = |place: i64| if place < 0 { place.saturating_add(length) } else { place };
    let (start, end) = match step > 0 {
        true => (from_end(start).clamp(0, length), from_end(end).clamp(0, length)),
        false => (from_end(start).clamp(-1, length - 1), from_end(end).clamp(-1, length - 1)),
    };
    let runs_on = |place: &i64| if step > 0 { *place < end } else { *place > end };
    let places = std::iter::successors(Some(start), |place| place.checked_add(step)).take_while(runs_on);
    places.filter_map(|place| table.get(usize::try_from(place).ok()?).copied()).collect()
}

/// `Split` along an axis: into given lengths, or into as many equal ones as there are results, of which the last may
/// be smaller when `num_outputs` is given.
pub(super) fn split<'a>(call: &mut Call<'_, 'a>) -> Result<Vec<Value<'a>>> {
    let value = call.input(0)?;
    let axis = call.integer("axis")?.unwrap_or(0);
    let axis = call.axis(axis, value.shape().len())?;
    let (length, results) = (at(value.shape(), axis), call.node.outputs.len());
    let declared = call.integer("num_outputs")?;
    let agrees = declared.is_none_or(|declared| usize::try_from(declared) == Ok(results));
    let part = length.div_ceil(results.max(1));
    let lengths: Option<Vec<usize>> = match call.list_or("split", 1)? {
        Some(lengths) if declared.is_none() => lengths.iter().map(|n| usize::try_from(*n).ok()).collect(),
        None if declared.is_some() || part * results == length => {
            Some((0..results).map(|i| part.min(length.saturating_sub(i * part))).collect())
        }
        _ => None,
    };
    let sum = |lengths: &[usize]| lengths.iter().try_fold(0usize, |sum, n| sum.checked_add(*n));
    let lengths = lengths.filter(|lengths| agrees && lengths.len() == results && sum(lengths) == Some(length));
    let lengths = lengths.ok_or_else(|| call.refuse(format!("{results} lengths with sum {length}"), "others"))?;
    let mut begin = 0;
    let mut pick = |part: usize| {
        let mut tables = tables(value.shape());
        if let Some(table) = tables.get_mut(axis) {
            *table = table.iter().skip(begin).take(part).copied().collect();
        }
        begin += part;
        call.rearrange(value, &tables)
    };
    lengths.into_iter().map(&mut pick).collect()
}

/// `Gather`: the slices along an axis that constant indices name.
pub(super) fn gather<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let axis = call.integer("axis")?.unwrap_or(0);
    let axis = call.axis(axis, value.shape().len())?;
    let indices = call.constant(1)?;
    let numbers = indices.integers().ok_or_else(|| call.refuse("integers as input 1", "floats"))?;
    let length = at(value.shape(), axis);
    let numbers = numbers.iter().map(|index| call.axis(*index, length)).collect::<Result<Vec<_>>>()?;
    let mut tables = tables(value.shape());
    if let Some(table) = tables.get_mut(axis) {
        *table = numbers.iter().map(|index| table.get(*index).copied().flatten()).collect();
    }
    let mut shape = value.shape().to_vec();
    shape.splice(axis..=axis, indices.shape.iter().copied());
    Ok(call.rearrange(value, &tables)?.reshaped(shape))
}

/// `Pad` with a constant; negative pads remove elements.
pub(super) fn pad<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let rank = value.shape().len();
    let mode = call.text("mode", "constant")?;
    call.require(mode == "constant", "mode constant", mode)?;
    let pads = call.list_or("pads", 1)?.ok_or_else(|| call.refuse("pads", "none"))?;
    let axes = call.list(3)?.unwrap_or_else(|| (0..).take(rank).collect());
    call.axes(&axes, rank)?;
    call.require(pads.len() == 2 * axes.len(), format!("{} pads", 2 * axes.len()), pads.len().to_string())?;
    let fill = padding(call)?;
    let (mut fronts, mut shape) = (vec![0; rank], value.shape().to_vec());
    for (axis, (front, back)) in axes.iter().zip(pads.iter().zip(pads.iter().skip(axes.len()))) {
        let axis = call.axis(*axis, rank)?;
        let length = i64::try_from(at(&shape, axis)).ok().and_then(|n| n.checked_add(*front)?.checked_add(*back));
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or_else(|| call.refuse("pads that leave elements", format!("{pads:?}")))?;
        fronts.splice(axis..=axis, [*front]);
        shape.splice(axis..=axis, [length]);
    }
    call.size(&shape)?;
    let shift = |((table, front), length): ((Table, &i64), &usize)| -> Table {
        let source = |place: i64| table.get(usize::try_from(place.checked_sub(*front)?).ok()?).copied().flatten();
        (0..).take(*length).map(source).collect()
    };
    let shifted = tables(value.shape()).into_iter().zip(&fronts).zip(&shape).map(shift);
    let places = outer_sum(&shifted.collect::<Vec<_>>());
    let around = places.iter().map(|place| if place.is_some() { Interval::point(0.0) } else { fill }).collect();
    let around = Value::Constant(Tensor::real(shape.clone(), around));
    let inside = Part { value, places: Some(places), weights: None };
    call.sum(shape, Vec::new(), vec![inside, Part { value: &around, places: None, weights: None }])
}

/// The number that `Pad` puts around: an attribute before operator set 11, an operand since.
fn padding(call: &mut Call<'_, '_>) -> Result<Interval> {
    let attribute = call.float("value", 0.0)?;
    let Some(value) = call.optional(2)? else { return Ok(attribute) };
    let numbers = if let Value::Constant(tensor) = value { tensor.reals() } else { None };
    match (numbers.as_deref(), attribute == Interval::point(0.0)) {
        (Some([number]), true) => Ok(*number),
        _ => Err(call.refuse("one constant float as value", "something else")),
    }
}
