//! Operators that repeat elements or exchange them between channels and the plane.

use super::{Call, Result, Value, outer_sum, redirect, tables};

/// `Tile`: each axis as often as the second operand says.
pub(super) fn tile<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (value, repeats) = (call.input(0)?, call.shape(1)?);
    let rank = value.shape.len();
    call.require(repeats.len() == rank, format!("{rank} repeats"), format!("{repeats:?}"))?;
    let shape: Option<Vec<usize>> = value.shape.iter().zip(&repeats).map(|(n, times)| n.checked_mul(*times)).collect();
    call.size(&call.demand(shape, "a shape within the limits", format!("repeats {repeats:?}"))?)?;
    let mut tables = tables(&value.shape);
    for (axis, (n, times)) in value.shape.iter().zip(&repeats).enumerate() {
        redirect(&mut tables, axis, (0..*times).flat_map(|_| (0..).take(*n)));
    }
    call.rearrange(value, &tables)
}

/// `DepthToSpace` and `SpaceToDepth`: channels become blocks of the plane, or blocks channels.
pub(super) fn blocks<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (value, size) = (call.input(0)?, call.integer("blocksize")?.unwrap_or(0));
    let (mode, is_back) = (call.text("mode", "DCR")?, call.operator == "SpaceToDepth");
    let block = usize::try_from(size).ok().filter(|block| (1..=1 << 12).contains(block));
    let block = call.demand(block, "a blocksize from 1 to 4096", size)?;
    let &[batch, channels, height, width] = value.shape.as_slice() else {
        return Err(call.refuse("a source [batch, channels, height, width]", format!("{:?}", value.shape)));
    };
    let (inner, square) = (channels / (block * block), block * block);
    let split = [batch, channels, height / block, block, width / block, block];
    let (sizes, order) = match (mode, is_back) {
        ("DCR", false) => ([batch, block, block, inner, height, width], [0, 3, 4, 1, 5, 2]),
        ("CRD", false) => ([batch, inner, block, block, height, width], [0, 1, 4, 2, 5, 3]),
        ("DCR", true) => (split, [0, 3, 5, 1, 2, 4]),
        ("CRD", true) => (split, [0, 1, 3, 5, 2, 4]),
        _ => return Err(call.refuse("mode DCR or CRD", mode)),
    };
    let fits = sizes.iter().product::<usize>() == value.shape.iter().product::<usize>();
    call.require(fits, format!("sizes that blocks of {block} divide"), format!("{:?}", value.shape))?;
    let shape = if is_back {
        vec![batch, channels * square, height / block, width / block]
    } else {
        vec![batch, inner, height * block, width * block]
    };
    let tables = tables(&sizes);
    let turned: Vec<_> = order.iter().filter_map(|axis: &usize| tables.get(*axis).cloned()).collect();
    call.place(value, shape, outer_sum(&turned))
}
