//! What piles up along a path of the tree, such as assumptions. What lies before a fork is shared by everything below
//! it, so that a deep tree does not copy a long list at every level.

use std::sync::Arc;

/// A list that clones share.
#[derive(Debug)]
pub(crate) struct Trail<T>(Option<Arc<Stretch<T>>>);

/// The part of a trail since it was last shared.
#[derive(Debug)]
struct Stretch<T> {
    before: Trail<T>,
    /// Number of elements before.
    start: usize,
    elements: Vec<T>,
}

impl<T> Clone for Trail<T> {
    fn clone(&self) -> Self {
        Trail(self.0.clone())
    }
}

impl<T> Default for Trail<T> {
    fn default() -> Self {
        Trail(None)
    }
}

impl<T> Trail<T> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |last| last.start + last.elements.len())
    }

    /// Adds an element at the end; clones do not see it.
    pub fn push(&mut self, element: T) {
        match self.0.as_mut().and_then(Arc::get_mut) {
            Some(last) => last.elements.push(element),
            None => {
                let (before, start) = (self.clone(), self.len());
                self.0 = Some(Arc::new(Stretch { before, start, elements: vec![element] }));
            }
        }
    }

    /// An element, counted from the first.
    pub fn get(&self, number: usize) -> Option<&T> {
        let stretch = self.stretches().find(|stretch| number >= stretch.start)?;
        stretch.elements.get(number - stretch.start)
    }

    /// All elements from the first to the last.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let stretches: Vec<&Stretch<T>> = self.stretches().collect();
        stretches.into_iter().rev().flat_map(|stretch| &stretch.elements)
    }

    /// From the last to the first.
    fn stretches(&self) -> impl Iterator<Item = &Stretch<T>> {
        std::iter::successors(self.0.as_deref(), |stretch| stretch.before.0.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_what_came_before_and_nothing_else() {
        let mut trunk = Trail::default();
        assert_eq!((trunk.len(), trunk.get(0)), (0, None));
        trunk.push(0);
        trunk.push(1);
        let (mut left, mut right) = (trunk.clone(), trunk.clone());
        (2..5).for_each(|n| left.push(n));
        right.push(9);
        let list = |trail: &Trail<i32>| trail.iter().copied().collect::<Vec<_>>();
        assert_eq!((list(&trunk), list(&left), list(&right)), (vec![0, 1], vec![0, 1, 2, 3, 4], vec![0, 1, 9]));
        assert_eq!((left.len(), left.get(1), left.get(4), left.get(5)), (5, Some(&1), Some(&4), None));
        drop((left, right));
        trunk.push(7);
        assert_eq!(trunk.stretches().count(), 1);
    }
}
