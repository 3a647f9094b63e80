//! Operators that only move elements: they give other shapes, pick, repeat, join or pad.

use crate::arith::Interval;
use crate::error::ReadError;
use crate::read::onnx::call::Call;
use crate::read::onnx::model::Attribute;
use crate::read::onnx::shape::{Table, at, broadcast, broadcast_places, outer_sum, tables};
use crate::read::onnx::tensor::{Elements, Tensor};
use crate::read::onnx::values::{Part, Value};

type Result<T> = std::result::Result<T, ReadError>;

/// `Reshape`: 0 keeps a dimension (unless `allowzero`), -1 takes what is left.
pub(crate) fn reshape<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let allows_zero = call.flag("allowzero", false)?;
    let wanted = call.list(1)?.ok_or_else(|| call.refuse("a shape as input 1", "none"))?;
    let size: usize = value.shape().iter().product();
    let dimension = |(axis, n): (usize, &i64)| match n {
        0 if !allows_zero => Some(at(value.shape(), axis)),
        -1 => Some(1),
        n => usize::try_from(*n).ok(),
    };
    let mut shape: Option<Vec<usize>> = wanted.iter().enumerate().map(dimension).collect();
    let known = shape.as_ref().and_then(|shape| shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)));
    let mut inferred = wanted.iter().zip(shape.iter_mut().flatten()).filter(|(n, _)| **n == -1);
    if let (Some((_, rest)), Some(known)) = (inferred.next(), known.filter(|known| *known > 0)) {
        *rest = size / known;
    }
    let is_clear = inferred.next().is_none();
    let shape = shape.filter(|shape| is_clear && shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)) == Some(size));
    let shape = shape.ok_or_else(|| call.refuse(format!("a shape of {size} elements"), format!("{wanted:?}")))?;
    Ok(value.reshaped(shape))
}

/// `Flatten`: a matrix, split before `axis`.
pub(crate) fn flatten<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let axis = call.integer("axis")?.unwrap_or(1);
    let rank = value.shape().len();
    let axis = if usize::try_from(axis) == Ok(rank) { rank } else { call.axis(axis, rank)? };
    let (rows, columns) = value.shape().split_at_checked(axis).unwrap_or_default();
    Ok(value.reshaped(vec![rows.iter().product(), columns.iter().product()]))
}

/// `Squeeze`: without some axes of one element, or all of them.
pub(crate) fn squeeze<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let shape = value.shape();
    let axes = match call.list_or("axes", 1)? {
        Some(axes) => call.axes(&axes, shape.len())?,
        None => (0..shape.len()).filter(|axis| at(shape, *axis) == 1).collect(),
    };
    let fits = axes.iter().all(|axis| at(shape, *axis) == 1);
    call.require(fits, "axes of one element", format!("axes {axes:?} of {shape:?}"))?;
    let kept = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, n)| *n);
    Ok(value.reshaped(kept.collect()))
}

/// `Unsqueeze`: with new axes of one element.
pub(crate) fn unsqueeze<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let axes = call.list_or("axes", 1)?.ok_or_else(|| call.refuse("axes", "none"))?;
    let rank = value.shape().len() + axes.len();
    let axes = call.axes(&axes, rank)?;
    let mut kept = value.shape().iter();
    let shape = (0..rank).filter_map(|axis| if axes.contains(&axis) { Some(1) } else { kept.next().copied() });
    Ok(value.reshaped(shape.collect()))
}

/// `Transpose`: the axes in another order, reversed unless `perm` says which.
pub(crate) fn transpose<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
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
pub(crate) fn expand<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let list = call.list(1)?.ok_or_else(|| call.refuse("a shape as input 1", "none"))?;
    let wanted: Option<Vec<usize>> = list.iter().map(|n| usize::try_from(*n).ok()).collect();
    let shape = wanted.and_then(|wanted| broadcast(value.shape(), &wanted));
    let expected = || call.refuse(format!("a shape that broadcasts with {:?}", value.shape()), format!("{list:?}"));
    let shape = shape.ok_or_else(expected)?;
    call.size(&shape)?;
    let Some(places) = broadcast_places(value.shape(), &shape) else { return Ok(value.reshaped(shape)) };
    call.place(value, shape, places)
}

/// `Concat` along an axis.
pub(crate) fn concat<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let first = call.input(0)?;
    let axis = call.integer("axis")?.ok_or_else(|| call.refuse("attribute axis", "none"))?;
    let axis = call.axis(axis, first.shape().len())?;
    let values = (0..call.inputs.len()).map(|i| call.input(i)).collect::<Result<Vec<_>>>()?;
    let integers = values.iter().map(|value| match value {
        Value::Constant(tensor) if tensor.shape.len() == 1 => tensor.integers(),
        _ => None,
    });
    if let Some(lists) = integers.collect::<Option<Vec<_>>>() {
        return Ok(Value::Constant(Tensor::list(lists.concat())));
    }
    let mut shape = first.shape().to_vec();
    for value in values.iter().skip(1) {
        let (mut own, length) = (value.shape().to_vec(), at(value.shape(), axis));
        let total = shape.get_mut(axis).zip(own.get_mut(axis)).map(|(total, own)| {
            *total = total.saturating_add(length);
            *own = *total;
        });
        call.require(
            total.is_some() && own == shape,
            format!("shape {:?} but for axis {axis}", first.shape()),
            format!("{:?}", value.shape()),
        )?;
    }
    call.size(&shape)?;
    let mut before = 0;
    let mut parts = Vec::new();
    for value in values {
        let mut tables = tables(value.shape());
        if let Some(table) = tables.get_mut(axis) {
            let mut padded = vec![None; before];
            before += table.len();
            padded.append(table);
            padded.resize(at(&shape, axis), None);
            *table = padded;
        }
        parts.push(Part { value, places: Some(outer_sum(&tables)), weights: None });
    }
    call.sum(shape, Vec::new(), parts)
}

/// `Slice`: for each axis the elements from `start` to before `end` in steps.
pub(crate) fn slice<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
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
pub(crate) fn split<'a>(call: &mut Call<'_, 'a>) -> Result<Vec<Value<'a>>> {
    let value = call.input(0)?;
    let axis = call.integer("axis")?.unwrap_or(0);
    let axis = call.axis(axis, value.shape().len())?;
    let length = at(value.shape(), axis);
    let declared = call.integer("num_outputs")?;
    let is_declared = declared.is_some();
    let count = declared.map_or(Some(call.outputs), |n| usize::try_from(n).ok());
    let count = count.filter(|n| *n == call.outputs && *n > 0);
    let count = count.ok_or_else(|| call.refuse(format!("num_outputs {}", call.outputs), "another number"))?;
    let lengths: Option<Vec<usize>> = match call.list_or("split", 1)? {
        Some(_) if is_declared => None,
        Some(lengths) => lengths.iter().map(|n| usize::try_from(*n).ok()).collect(),
        None => (is_declared || length.is_multiple_of(count)).then(|| equal_parts(length, count)),
    };
    let lengths =
        lengths.filter(|l| l.len() == count && l.iter().try_fold(0usize, |a, b| a.checked_add(*b)) == Some(length));
    let lengths = lengths.ok_or_else(|| call.refuse(format!("{count} lengths that add up to {length}"), "others"))?;
    let mut begin = 0;
    let mut results = Vec::new();
    for part in lengths {
        let mut tables = tables(value.shape());
        if let Some(table) = tables.get_mut(axis) {
            *table = table.iter().skip(begin).take(part).copied().collect();
        }
        begin += part;
        results.push(call.rearrange(value, &tables)?);
    }
    Ok(results)
}

fn equal_parts(length: usize, count: usize) -> Vec<usize> {
    let part = length.div_ceil(count);
    (0..count).map(|i| part.min(length.saturating_sub(i * part))).collect()
}

/// `Gather`: the slices along an axis that constant indices name.
pub(crate) fn gather<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
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
pub(crate) fn pad<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let rank = value.shape().len();
    let mode = call.text("mode", "constant")?;
    call.require(mode == "constant", "mode constant", mode)?;
    let pads = call.list_or("pads", 1)?.ok_or_else(|| call.refuse("pads", "none"))?;
    let axes = call.list(3)?.unwrap_or_else(|| (0..).take(rank).collect());
    call.axes(&axes, rank)?;
    call.require(pads.len() == 2 * axes.len(), format!("{} pads", 2 * axes.len()), pads.len().to_string())?;
    let fill = padding(call)?;
    let mut all_pads = vec![(0, 0); rank];
    for (axis, (front, back)) in axes.iter().zip(pads.iter().zip(pads.iter().skip(axes.len()))) {
        if let Some(pads) = all_pads.get_mut(call.axis(*axis, rank)?) {
            *pads = (*front, *back);
        }
    }
    let padded = |(n, (front, back)): (&usize, &(i64, i64))| {
        i64::try_from(*n).ok()?.checked_add(*front)?.checked_add(*back).and_then(|n| usize::try_from(n).ok())
    };
    let shape: Option<Vec<usize>> = value.shape().iter().zip(&all_pads).map(padded).collect();
    let shape = shape.ok_or_else(|| call.refuse("pads that leave elements", format!("{pads:?}")))?;
    call.size(&shape)?;
    let shift = |((table, (front, _)), n): ((Table, &(i64, i64)), &usize)| -> Table {
        let source = |place: i64| table.get(usize::try_from(place.checked_sub(*front)?).ok()?).copied().flatten();
        (0..).take(*n).map(source).collect()
    };
    let places =
        outer_sum(&tables(value.shape()).into_iter().zip(&all_pads).zip(&shape).map(shift).collect::<Vec<_>>());
    let around = places.iter().map(|place| if place.is_some() { Interval::point(0.0) } else { fill }).collect();
    let around = Value::Constant(Tensor { shape: shape.clone(), elements: Elements::Real(around) });
    let inside = Part { value, places: Some(places), weights: None };
    call.sum(shape, Vec::new(), vec![inside, Part { value: &around, places: None, weights: None }])
}

/// The number that `Pad` puts around: an attribute before operator set 11, an operand since.
fn padding(call: &mut Call<'_, '_>) -> Result<Interval> {
    let expected = "one finite constant as value";
    match (call.attribute("value"), call.optional(2)?) {
        (None, None) => Ok(Interval::point(0.0)),
        (Some(Attribute::Float(number)), None) if number.is_finite() => Ok(Interval::point(f64::from(number))),
        (None, Some(Value::Constant(tensor))) => match tensor.reals().as_deref() {
            Some([number]) => Ok(*number),
            _ => Err(call.refuse(expected, "another number of them")),
        },
        _ => Err(call.refuse(expected, "something else")),
    }
}
