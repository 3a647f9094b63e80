//! Enumeration of all activation patterns: the region falls into polytopes on which the network is affine.

use super::dyadic::Ratio;
use super::network::{ExactNetwork, ExactNode};
use super::polytope::{Linear, Polytope};

/// A part of the region with the network's outputs there, as functions of the input.
pub struct Cell {
    pub part: Polytope,
    pub outputs: Vec<Linear>,
}

/// The cells of a polytope. Both sides of a kink are closed, and patterns that nothing has are left out.
pub fn cells(network: &ExactNetwork, start: Polytope) -> Vec<Cell> {
    let mut enumeration = Enumeration { network, values: Vec::new(), cells: Vec::new() };
    if !start.is_empty() {
        enumeration.visit(start);
    }
    enumeration.cells
}

struct Enumeration<'n> {
    network: &'n ExactNetwork,
    /// The elements of the first nodes on the current part.
    values: Vec<Vec<Linear>>,
    cells: Vec<Cell>,
}

impl Enumeration<'_> {
    fn visit(&mut self, part: Polytope) {
        let dimension = part.dimension;
        let network = self.network;
        let value = match network.nodes.get(self.values.len()) {
            None => {
                let outputs = self.values[network.output].clone();
                return self.cells.push(Cell { part, outputs });
            }
            Some(ExactNode::Relu(source)) => return self.decide(*source, Vec::new(), part),
            Some(ExactNode::Input) => (0..dimension).map(|axis| Linear::coordinate(dimension, axis)).collect(),
            Some(ExactNode::Affine(rows)) => {
                let mut value = Vec::new();
                for row in rows {
                    let mut sum = Linear::constant(dimension, row.bias.clone());
                    row.terms.iter().for_each(|(node, at, w)| sum.add(w, &self.values[*node][*at]));
                    value.push(sum);
                }
                value
            }
        };
        self.values.push(value);
        self.visit(part);
        self.values.pop();
    }

    /// Goes on with both signs of the next element of a ReLU's input, where the part has both.
    fn decide(&mut self, source: usize, mut decided: Vec<Linear>, part: Polytope) {
        let Some(z) = self.values[source].get(decided.len()).cloned() else {
            self.values.push(decided);
            self.visit(part);
            self.values.pop();
            return;
        };
        let zero = Linear::zero(part.dimension);
        let signs = part.values(&z);
        if signs.iter().all(|z| !z.is_negative()) {
            decided.push(z);
            return self.decide(source, decided, part);
        }
        if signs.iter().any(|z| z.is_positive()) {
            let mut active = decided.clone();
            active.push(z.clone());
            self.decide(source, active, part.clip(&z));
            decided.push(zero);
            return self.decide(source, decided, part.clip(&z.negated()));
        }
        decided.push(zero);
        self.decide(source, decided, part);
    }
}

/// The smallest value over all cells of a function of inputs and outputs.
pub fn minimum(cells: &[Cell], function: impl Fn(&Cell) -> Linear) -> Option<Ratio> {
    cells.iter().filter_map(|cell| cell.part.minimum(&function(cell))).min_by(|a, b| a.cmp(b))
}
