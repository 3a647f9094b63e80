use bartizan_proof::network::{Map, Op};
use ndarray::{Array2, ArrayView2};

use super::Layer;
use crate::random_networks::{Builder, assorted};

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
