use super::*;
use crate::certificate::{SignNode, Signs};

/// A tree of signs.
fn signs(base: Witness, nodes: &[SignNode]) -> Witness {
    Witness::Signs(Box::new(Signs { base, nodes: nodes.to_vec() }))
}

fn leaf(betas: &[f32]) -> SignNode {
    SignNode::Leaf(betas.to_vec())
}

fn judged(at: f64, witness: Witness) -> Result<Verified, Rejected> {
    judge(&distance(), &never_at_most(at, &[(0.0, 1.0), (0.0, 1.0)]), &[close(witness), Item::End])
}

fn refused(witness: Witness) -> Refusal {
    judged(-0.375, witness).unwrap_err().refusal
}

#[test]
fn signs_make_relus_exact() {
    // In each leaf y is linear: -(x0 - x1) - 0.25 and (x0 - x1) - 0.25 with both elements decided, and each needs one multiplier.
    let both = |betas: [f32; 4]| {
        let nodes = [
            SignNode::Split(1, 0),
            SignNode::Split(1, 1),
            leaf(&[]),
            leaf(&[betas[0], betas[1]]),
            SignNode::Split(1, 1),
            leaf(&[betas[2], betas[3]]),
            leaf(&[]),
        ];
        signs(alpha(&[0.5, 0.5]), &nodes)
    };
    assert!(judged(-0.2501, both([1.0, 0.0, 1.0, 0.0])).is_ok());
    assert!(judged(-0.2501, both([0.0, 1.0, 0.0, 1.0])).is_ok());
    assert!(judged(-0.25, both([0.0, 1.0, 0.0, 1.0])).is_err());
    // Without the sum x0 - x1 of the multiplier, y is bounded by -1.25.
    assert!(judged(-1.2, both([0.0; 4])).is_err());
}

#[test]
fn trees_that_are_none_are_refused_by_name() {
    let split = SignNode::Split(1, 0);
    let tree = |nodes: &[SignNode]| refused(signs(Witness::Default, nodes));
    assert_eq!(tree(&[split.clone(), leaf(&[])]), Refusal::Truncated);
}
