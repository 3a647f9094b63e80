//! Which domains come next.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use super::domain::Domain;
use super::tree::NodeId;

/// The domains that are not refuted yet. They leave in turns: three that look most like holding a counterexample,
/// and the one with the least bound. Among equals the oldest leaves first.
#[derive(Debug, Default)]
pub struct Frontier {
    domains: HashMap<NodeId, Domain>,
    by_excess: BinaryHeap<Key>,
    by_bound: BinaryHeap<Key>,
}

/// A domain in one of the orders; it may have left by the other.
#[derive(Clone, Copy, Debug)]
struct Key {
    first: f32,
    second: f32,
    node: NodeId,
}

impl Frontier {
    /// Adds a domain.
    pub fn push(&mut self, domain: Domain) {
        let (excess, bound, node) = (domain.excess, domain.bound, domain.node);
        self.by_excess.push(Key { first: excess, second: bound, node });
        self.by_bound.push(Key { first: bound, second: excess, node });
        self.domains.insert(node, domain);
    }

    /// Takes up to `count` domains.
    pub fn take(&mut self, count: usize) -> Vec<Domain> {
        let mut taken = Vec::new();
        while taken.len() < count && !self.domains.is_empty() {
            let order = if taken.len() % 4 < 3 { &mut self.by_excess } else { &mut self.by_bound };
            while let Some(key) = order.pop() {
                if let Some(domain) = self.domains.remove(&key.node) {
                    taken.push(domain);
                    break;
                }
            }
        }
        taken
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// How many domains there are.
    pub fn len(&self) -> usize {
        self.domains.len()
    }

    /// The least bound of a domain's parent; infinite when there is none.
    pub fn least_bound(&self) -> f32 {
        self.domains.values().map(|domain| domain.bound).fold(f32::INFINITY, f32::min)
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let first = other.first.total_cmp(&self.first);
        first.then(other.second.total_cmp(&self.second)).then(other.node.cmp(&self.node))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_take_turns_and_nothing_leaves_twice() {
        let domain = |(node, (bound, excess)): (NodeId, &(f32, f32))| Domain {
            node,
            ends: Vec::new(),
            bound: *bound,
            excess: *excess,
            worth: None,
            is_disputed: false,
        };
        let mut frontier = Frontier::default();
        let pairs = [(-1.0, 3.0), (-9.0, 5.0), (-5.0, 1.0), (-9.0, 5.0), (-2.0, 1.0)];
        pairs.iter().enumerate().map(domain).for_each(|d| frontier.push(d));
        assert_eq!((frontier.len(), frontier.least_bound()), (5, -9.0));
        let mut nodes = || frontier.take(4).into_iter().map(|d| d.node).collect::<Vec<_>>();
        assert_eq!((nodes(), nodes()), (vec![2, 4, 0, 1], vec![3]));
        assert!(frontier.is_empty() && frontier.take(1).is_empty());
    }
}
