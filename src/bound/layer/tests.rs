use bartizan_proof::network::{Conv, Map, Op};
use ndarray::{Array2, ArrayView2};
use rand::RngExt;

use super::Layer;
use crate::random_networks::{Builder, ConvShape, assorted};
use crate::real::Real;

fn matrix(builder: &mut Builder, rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_vec((rows, columns), builder.uniform(rows * columns, 1.0)).unwrap()
}

fn close(a: ArrayView2<f64>, b: ArrayView2<f64>) -> bool {
    a.shape() == b.shape() && a.iter().zip(b).all(|(x, y)| (x - y).abs() <= 1e-12 * (1.0 + x.abs()))
}

/// Every map of some networks with the sizes of its source and result.
fn maps() -> Vec<(Map, usize, usize)> {
    let mut found = Vec::new();
    for network in assorted(11) {
        for node in network.nodes() {
            if let Op::Affine(affine) = &node.op {
                let of = |t: &bartizan_proof::network::Term| network.nodes()[t.source].size;
                found.extend(affine.terms.iter().map(|t| (t.map.clone(), of(t), node.size)));
            }
        }
    }
    found
}

#[test]
fn forward_agrees_with_the_trusted_maps() {
    let mut builder = Builder::new(1, 1);
    for (map, inputs, outputs) in maps() {
        let x = matrix(&mut builder, 3, inputs);
        let mut expected = Array2::zeros((3, outputs));
        for (x, mut out) in x.rows().into_iter().zip(expected.rows_mut()) {
            map.apply(x.as_slice().unwrap(), out.as_slice_mut().unwrap());
        }
        let mut found = Array2::zeros((3, outputs));
        Layer::<f64>::of(&map).forward(x.view(), found.view_mut());
        assert!(close(found.view(), expected.view()), "{map:?}");
    }
}

#[test]
fn backward_is_the_transpose_of_forward_and_picks_are_its_rows() {
    let mut builder = Builder::new(2, 1);
    for (map, inputs, outputs) in maps() {
        let layer = Layer::<f64>::of(&map);
        let unit = Array2::eye(inputs);
        let mut columns = Array2::zeros((inputs, outputs));
        layer.forward(unit.view(), columns.view_mut());
        let rows = matrix(&mut builder, 4, outputs);
        let mut found = Array2::zeros((4, inputs));
        layer.backward(rows.view(), found.view_mut());
        assert!(close(found.view(), rows.dot(&columns.t()).view()), "{map:?}");
        let picks: Vec<(usize, f64)> = (0..outputs).map(|i| (i, if i % 2 == 0 { 1.0 } else { -1.0 })).collect();
        let mut picked = Array2::zeros((outputs, inputs));
        layer.pick(&picks, picked.view_mut());
        let signed = Array2::from_shape_fn((outputs, inputs), |(i, j)| picks[i].1 * columns[[j, i]]);
        assert!(close(picked.view(), signed.view()), "{map:?}");
    }
}

#[test]
fn absolute_forward_uses_absolute_weights() {
    for (map, inputs, outputs) in maps() {
        let layer = Layer::<f64>::of(&map);
        let unit = Array2::eye(inputs);
        let (mut plain, mut absolute) = (Array2::zeros((inputs, outputs)), Array2::zeros((inputs, outputs)));
        layer.forward(unit.view(), plain.view_mut());
        layer.forward_abs(unit.view(), absolute.view_mut());
        assert!(close(absolute.view(), plain.mapv(f64::abs).view()), "{map:?}");
    }
}

/// The matrix of a convolution, by its definition.
fn matrix_of(conv: &Conv) -> Array2<f64> {
    let ([channels, height, width], [outputs, rows, columns]) = (conv.input, conv.output);
    let [kernel_y, kernel_x] = conv.kernel;
    let mut matrix = Array2::zeros((outputs * rows * columns, channels * height * width));
    for (w, weight) in conv.weights.iter().enumerate() {
        let (o, c) = (w / conv.patch(), w % conv.patch() / (kernel_y * kernel_x));
        let (ky, kx) = (w / kernel_x % kernel_y, w % kernel_x);
        let c = o / conv.group_outputs() * conv.group_inputs() + c;
        for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
            let row = (y * conv.stride[0] + ky * conv.dilation[0]).wrapping_sub(conv.pad[0]);
            let column = (x * conv.stride[1] + kx * conv.dilation[1]).wrapping_sub(conv.pad[1]);
            if row < height && column < width {
                matrix[[(o * rows + y) * columns + x, (c * height + row) * width + column]] += weight;
            }
        }
    }
    matrix
}

/// Random rows: dense, half of them zero, zero in whole columns, or single.
fn rows(builder: &mut Builder, count: usize, size: usize, kind: usize) -> Array2<f64> {
    let mut rows = matrix(builder, count, size);
    let live: Vec<bool> = (0..size).map(|_| builder.random.random()).collect();
    for mut row in rows.rows_mut() {
        let single = builder.random.random_range(0..size);
        for (j, a) in row.iter_mut().enumerate() {
            let is_kept = [true, builder.random.random(), live[j], j == single][kind];
            *a = if is_kept { *a } else { 0.0 };
        }
    }
    rows
}

/// Compares a layer with its matrix, on rows of every kind, over results that are not zero at first.
fn compare<T: Real>(map: &Map, matrix: &Array2<f64>, builder: &mut Builder, tolerance: f64) {
    let layer = Layer::<T>::of(map);
    let (outputs, inputs) = matrix.dim();
    let near = |found: &Array2<T>, expected: &Array2<f64>, what: &str| {
        let far = found.iter().zip(expected).find(|(a, b)| (a.wide() - **b).abs() > tolerance * (1.0 + b.abs()));
        assert!(far.is_none(), "{what}: {far:?}");
    };
    for (count, kind) in [1, 2, 5, 8, 9, 16, 23, 33].into_iter().zip((0..4).cycle()).chain([(17, 0), (40, 3), (4, 3)]) {
        let (x, y) = (rows(builder, count, inputs, kind), rows(builder, count, outputs, kind));
        let (on_x, on_y) = (rows(builder, count, inputs, 0), rows(builder, count, outputs, 0));
        let mut found = on_y.mapv(T::of);
        layer.forward(x.mapv(T::of).view(), found.view_mut());
        near(&found, &(&on_y + x.dot(&matrix.t())), "forward");
        let mut found = on_y.mapv(T::of);
        layer.forward_abs(x.mapv(T::of).view(), found.view_mut());
        near(&found, &(&on_y + x.dot(&matrix.mapv(f64::abs).t())), "forward, absolute");
        let mut found = on_x.mapv(T::of);
        layer.backward(y.mapv(T::of).view(), found.view_mut());
        near(&found, &(&on_x + y.dot(matrix)), "backward");
        let picks: Vec<(usize, T)> =
            (0..count).map(|r| (builder.random.random_range(0..outputs), T::of(r as f64))).collect();
        let mut found = on_x.mapv(T::of);
        layer.pick(&picks, found.view_mut());
        let picked = Array2::from_shape_fn((count, inputs), |(r, j)| r as f64 * matrix[[picks[r].0, j]]);
        near(&found, &(&on_x + picked), "pick");
    }
}

#[test]
fn convolutions_agree_with_their_definition_in_every_shape_and_batch() {
    let mut builder = Builder::new(3, 1);
    for case in 0..40 {
        let mut up_to = |most: usize| builder.random.random_range(1..=most);
        let groups = [1, 1, 1, 2, 3][up_to(5) - 1];
        let kernel = if case % 10 == 0 { [1, 1] } else { [up_to(4), up_to(4)] };
        let (stride, dilation) = ([up_to(3), up_to(3)], [up_to(2), up_to(2)]);
        let pad = [up_to(3) - 1, up_to(3) - 1];
        let input = [groups * up_to(4), 6 + up_to(8), 6 + up_to(8)];
        let outputs = groups * up_to(13);
        let conv = builder.conv_map(input, outputs, ConvShape { kernel, stride, pad, dilation, groups });
        let matrix = matrix_of(&conv);
        let map = Map::Conv(conv);
        compare::<f64>(&map, &matrix, &mut builder, 1e-12);
        compare::<f32>(&map, &matrix.mapv(|w| f64::from(w as f32)), &mut builder, 1e-4);
    }
}

#[test]
fn all_maps_agree_with_their_matrices_in_every_batch() {
    let mut builder = Builder::new(4, 1);
    for (map, inputs, outputs) in maps() {
        let mut columns = Array2::zeros((inputs, outputs));
        for (j, mut column) in columns.rows_mut().into_iter().enumerate() {
            let unit: Vec<f64> = (0..inputs).map(|i| f64::from(u8::from(i == j))).collect();
            map.apply(&unit, column.as_slice_mut().unwrap());
        }
        compare::<f64>(&map, &columns.t().to_owned(), &mut builder, 1e-12);
        compare::<f32>(&map, &columns.t().mapv(|w| f64::from(w as f32)), &mut builder, 1e-4);
    }
}
