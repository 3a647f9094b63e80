//! Operators that only move elements: they give other shapes, pick, repeat, join or pad.

use super::{Call, Result, Rounding, Value, ZERO, at, broadcast, count, outer_sum, redirect, tables};

/// `Reshape`, `Flatten`, `Squeeze` and `Unsqueeze`: the same elements in another shape.
pub(super) fn reshape<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let (old, rank) = (value.shape.as_slice(), value.shape.len());
    let size: usize = old.iter().product();
    let shape = match call.operator {
        "Flatten" => {
            let axis = call.integer("axis")?.unwrap_or(1);
            let axis = if usize::try_from(axis) == Ok(rank) { rank } else { call.axis(axis, rank)? };
            let (rows, columns) = old.split_at_checked(axis).unwrap_or_default();
            vec![rows.iter().product(), columns.iter().product()]
        }
        "Squeeze" => {
            let listed = call.list_or("axes", 1)?;
            call.require(listed != Some(Vec::new()), "axes, or none at all", "an empty list")?;
            let axes = listed.map(|axes| call.axes(&axes, rank)).transpose()?;
            let is_kept = |(axis, n): &(usize, &usize)| axes.as_ref().map_or(**n != 1, |axes| !axes.contains(axis));
            old.iter().enumerate().filter(is_kept).map(|(_, n)| *n).collect()
        }
        "Unsqueeze" => {
            let axes = call.list_or("axes", 1)?;
            let axes = call.demand(axes, "axes", "none")?;
            let axes = call.axes(&axes, rank + axes.len())?;
            let mut kept = old.iter().copied();
            (0..rank + axes.len()).filter_map(|i| if axes.contains(&i) { Some(1) } else { kept.next() }).collect()
        }
        _ => wanted(call, old, size)?,
    };
    call.require(count(&shape) == Some(size), format!("a shape of {size} elements"), format!("{shape:?}"))?;
    Ok(value.reshaped(shape))
}

/// The shape that `Reshape` is given: 0 keeps a dimension (unless `allowzero`), -1 takes what is left.
fn wanted(call: &mut Call<'_, '_>, old: &[usize], size: usize) -> Result<Vec<usize>> {
    let allows_zero = call.flag("allowzero", false)?;
    let wanted = call.demand(call.list(1)?, "a shape as input 1", "none")?;
    let with_rest = |rest: usize| -> Option<Vec<usize>> {
        let dimension = |(axis, n): (usize, &i64)| match n {
            0 if !allows_zero => Some(at(old, axis)),
            -1 => Some(rest),
            n => usize::try_from(*n).ok(),
        };
        wanted.iter().enumerate().map(dimension).collect()
    };
    let known = with_rest(1).and_then(|shape| count(&shape)).filter(|known| *known > 0);
    let known = known.filter(|_| wanted.iter().filter(|n| **n == -1).count() < 2);
    let shape = known.and_then(|known| with_rest(size / known));
    call.demand(shape, format!("a shape of {size} elements"), format!("{wanted:?}"))
}

/// `Transpose`: the axes in another order, reversed unless `perm` says which.
pub(super) fn transpose<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let rank = value.shape.len();
    let order = call.integers("perm")?.map_or(Ok((0..rank).rev().collect()), |perm| call.axes(&perm, rank))?;
    call.require(order.len() == rank, format!("an order of {rank} axes"), format!("{order:?}"))?;
    let tables = tables(&value.shape);
    call.rearrange(value, &order.iter().filter_map(|axis| tables.get(*axis).cloned()).collect::<Vec<_>>())
}

/// `Expand`: broadcast to a shape, or with it to a larger one.
pub(super) fn expand<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (value, wanted) = (call.input(0)?, call.shape(1)?);
    let expected = format!("a shape that broadcasts with {:?}", value.shape);
    let shape = call.demand(broadcast(&value.shape, &wanted), expected, format!("{wanted:?}"))?;
    call.stretch(value, &shape)
}

/// `Concat` along an axis.
pub(super) fn concat<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let first = call.input(0)?;
    let axis = call.integer("axis")?;
    let axis = call.axis(call.demand(axis, "attribute axis", "none")?, first.shape.len())?;
    let values = (0..call.inputs.len()).map(|i| call.input(i)).collect::<Result<Vec<_>>>()?;
    let lists: Option<Vec<&[i64]>> = values.iter().map(|value| value.integers()).collect();
    if let (Some(lists), 1) = (lists, first.shape.len()) {
        return Ok(Value::list(lists.concat()));
    }
    let total = values.iter().map(|value| at(&value.shape, axis)).sum();
    let whole = |value: &Value<'_>| -> Vec<usize> {
        value.shape.iter().enumerate().map(|(i, n)| if i == axis { total } else { *n }).collect()
    };
    let shape = whole(first);
    call.size(&shape)?;
    let (mut before, mut parts) = (0, Vec::new());
    for value in values {
        call.require(
            whole(value) == shape,
            format!("shape {shape:?} but for axis {axis}"),
            format!("{:?}", value.shape),
        )?;
        let mut tables = tables(&value.shape);
        redirect(&mut tables, axis, -before..signed(total) - before);
        before += signed(at(&value.shape, axis));
        parts.push((value, None, Some(outer_sum(&tables))));
    }
    call.rounding(Rounding::Nothing, |call| call.sum(shape, Vec::new(), parts))
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// `Slice`: for each axis the elements from `start` to before `end` in steps.
pub(super) fn slice<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let mut required = |name, index| call.list_or(name, index)?.ok_or_else(|| call.refuse(name, "none"));
    let (starts, ends) = (required("starts", 1)?, required("ends", 2)?);
    let axes = call.list_or("axes", 3)?.unwrap_or_else(|| (0..).take(starts.len()).collect());
    let steps = call.list(4)?.map_or(vec![1; starts.len()], <[i64]>::to_vec);
    let sizes = [starts.len(), ends.len(), axes.len(), steps.len()];
    call.require(sizes.iter().all(|n| *n == starts.len()), "starts, ends, axes and steps alike", format!("{sizes:?}"))?;
    let mut tables = tables(&value.shape);
    let axes = call.axes(&axes, value.shape.len())?;
    for ((axis, step), (start, end)) in axes.into_iter().zip(steps).zip(starts.into_iter().zip(ends)) {
        call.require(step != 0, "a step that is not 0", 0)?;
        let length = signed(at(&value.shape, axis));
        let (least, most) = if step > 0 { (0, length) } else { (-1, length - 1) };
        let limit = |place: i64| (if place < 0 { place.saturating_add(length) } else { place }).clamp(least, most);
        let runs_on = |place: &i64| if step > 0 { *place < limit(end) } else { *place > limit(end) };
        let places = std::iter::successors(Some(limit(start)), |place| place.checked_add(step));
        redirect(&mut tables, axis, places.take_while(runs_on));
    }
    call.rearrange(value, &tables)
}

/// `Split` along an axis: into given lengths, or into as many equal ones as there are results, of which the last may
/// be smaller when `num_outputs` is given.
pub(super) fn split<'a>(call: &mut Call<'_, 'a>) -> Result<Vec<Value<'a>>> {
    let (value, axis) = axis_of(call)?;
    let (length, results) = (at(&value.shape, axis), call.outputs.len());
    let (declared, given) = (call.integer("num_outputs")?, call.list_or("split", 1)?);
    let agrees = declared.is_none_or(|declared| given.is_none() && usize::try_from(declared) == Ok(results));
    let part = if declared.is_some() { length.div_ceil(results.max(1)) } else { length / results.max(1) };
    let equal = || (0..results).map(|i| signed(part.min(length.saturating_sub(i * part)))).collect();
    let lengths: Vec<i64> = given.unwrap_or_else(equal);
    let sum = lengths.iter().try_fold(0i64, |sum, n| sum.checked_add(*n).filter(|_| *n >= 0));
    let fits = agrees && lengths.len() == results && sum == Some(signed(length));
    call.require(fits, format!("{results} lengths with sum {length}"), format!("{lengths:?}"))?;
    let mut begin = 0;
    let mut pick = |part: i64| {
        let mut tables = tables(&value.shape);
        redirect(&mut tables, axis, begin..begin + part);
        begin += part;
        call.rearrange(value, &tables)
    };
    lengths.into_iter().map(&mut pick).collect()
}

/// The first operand and the attribute `axis`, an axis of it.
fn axis_of<'c, 'a>(call: &mut Call<'c, 'a>) -> Result<(&'c Value<'a>, usize)> {
    let (value, axis) = (call.input(0)?, call.integer("axis")?.unwrap_or(0));
    Ok((value, call.axis(axis, value.shape.len())?))
}

/// `Gather`: the slices along an axis that constant indices name.
pub(super) fn gather<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let ((value, axis), indices) = (axis_of(call)?, call.input(1)?);
    let places = call.demand(indices.integers(), "integers as input 1", indices.kind())?;
    let index = |index: &i64| call.axis(*index, at(&value.shape, axis)).map(signed);
    let places = places.iter().map(index).collect::<Result<Vec<_>>>()?;
    let mut tables = tables(&value.shape);
    redirect(&mut tables, axis, places.into_iter());
    let mut shape = value.shape.clone();
    shape.splice(axis..=axis, indices.shape.iter().copied());
    Ok(call.rearrange(value, &tables)?.reshaped(shape))
}

/// Where an element at a place around an axis of that length comes from.
fn around(mode: &str, place: i64, length: i64) -> i64 {
    match mode {
        "edge" => place.min(length - 1).max(0),
        "reflect" if place < 0 => place.saturating_neg(),
        "reflect" if place >= length => (length - 1).saturating_mul(2).saturating_sub(place),
        "wrap" => place.rem_euclid(length.max(1)),
        _ => place,
    }
}

/// `Pad` with a constant, whose negative pads remove elements, or with the elements at the edge, those reflected at it or
/// those at the other one.
pub(super) fn pad<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (value, mode) = (call.input(0)?, call.text("mode", "constant")?);
    let known = ["constant", "edge", "reflect", "wrap"];
    call.require(known.contains(&mode), format!("one of {known:?} as attribute mode"), mode)?;
    let pads = call.list_or("pads", 1)?;
    let pads = call.demand(pads, "pads", "none")?;
    let fill = call.number_or("value", 2)?.unwrap_or(ZERO);
    let rank = value.shape.len();
    let axes = call.list(3)?.map_or(Ok((0..rank).collect()), |axes| call.axes(axes, rank))?;
    call.require(pads.len() == 2 * axes.len(), format!("{} pads", 2 * axes.len()), pads.len())?;
    let mut tables = tables(&value.shape);
    for (axis, (front, back)) in axes.iter().zip(pads.iter().zip(pads.iter().skip(axes.len()))) {
        let length = signed(at(&value.shape, *axis)).checked_add(*front).and_then(|length| length.checked_add(*back));
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = call.size(&[call.demand(length, "pads that leave elements", format!("{pads:?}"))?])?;
        let old = signed(at(&value.shape, *axis));
        let reach = if mode == "reflect" { old } else { i64::MAX };
        call.require(mode == "constant" || old > 0, format!("elements for mode {mode}"), "none")?;
        let fits = mode == "constant" || [front, back].iter().all(|pad| (0..reach).contains(*pad));
        call.require(fits, format!("pads from 0 to below {reach} in mode {mode}"), format!("{pads:?}"))?;
        let places = (0..signed(length)).map(|place| place.saturating_sub(*front));
        redirect(&mut tables, *axis, places.map(|place| around(mode, place, old)));
    }
    if mode != "constant" {
        return call.rearrange(value, &tables);
    }
    let (shape, places) = call.places(&tables)?;
    let fills = places.iter().map(|place| if place.is_some() { ZERO } else { fill }).collect();
    let fills = Value::real(shape.clone(), fills);
    let parts = vec![(value, None, Some(places)), (&fills, None, None)];
    call.rounding(Rounding::Nothing, |call| call.sum(shape, Vec::new(), parts))
}
