//! Values of the graph and what operators build from them: sums of weighted, rearranged values, and ReLUs.

use super::call::Call;
use super::shape::{Table, broadcast, broadcast_places, count, outer_sum};
use super::tensor::{Elements, Tensor, Weights};
use crate::arith::{Interval, lowering};
use crate::error::ReadError;
use crate::network::{Affine, Map, Node, NodeId, Op, Sparse, Term};

type Result<T> = std::result::Result<T, ReadError>;

/// How many elements and weights the nodes may hold together beyond one for each byte of the file.
pub(crate) const ALLOWANCE: usize = 1 << 24;

const ZERO: Interval = Interval { lo: 0.0, hi: 0.0 };

/// A named value of the graph.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// A constant.
    Constant(Tensor<'a>),
    /// A node of the network.
    Computed {
        /// The node.
        node: NodeId,
        /// Dimensions, the batch dimension included.
        shape: Vec<usize>,
    },
}

impl<'a> Value<'a> {
    /// Dimensions, the batch dimension included.
    pub fn shape(&self) -> &[usize] {
        match self {
            Value::Constant(tensor) => &tensor.shape,
            Value::Computed { shape, .. } => shape,
        }
    }

    /// The elements, if they are constant integers.
    pub fn integers(&self) -> Option<&[i64]> {
        if let Value::Constant(tensor) = self { tensor.integers() } else { None }
    }

    /// The same elements in another shape of as many elements.
    pub fn reshaped(&self, shape: Vec<usize>) -> Value<'a> {
        match self {
            Value::Constant(tensor) => Value::Constant(Tensor { shape, elements: tensor.elements.clone() }),
            Value::Computed { node, .. } => Value::Computed { node: *node, shape },
        }
    }
}

/// The network that is being built.
pub(crate) struct Lowering {
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// How many more elements and weights it may hold.
    pub left: usize,
}

/// One summand of an affine node that is not a general matrix: each result element takes at most one element of the
/// value, times a weight.
pub(crate) struct Part<'v, 'a> {
    /// The value.
    pub value: &'v Value<'a>,
    /// Where each result element comes from; left out when that is the same place.
    pub places: Option<Table>,
    /// The weight of each result element; left out when all are one.
    pub weights: Option<Vec<Interval>>,
}

impl<'v, 'a> Part<'v, 'a> {
    /// A value, broadcast to a shape, times a factor that is broadcast too.
    pub fn broadcast(
        call: &Call<'_, 'a>,
        (value, factor): (&'v Value<'a>, Option<&Tensor<'_>>),
        shape: &[usize],
    ) -> Result<Self> {
        let places = broadcast_places(value.shape(), shape);
        let Some(factor) = factor else { return Ok(Part { value, places, weights: None }) };
        let numbers = call.reals(factor)?;
        let weights = match broadcast_places(&factor.shape, shape) {
            None => numbers,
            Some(places) => places.iter().map(|place| number_at(&numbers, *place)).collect(),
        };
        Ok(Part { value, places, weights: Some(weights) })
    }

    /// Adds the part, a constant of these numbers, to a bias.
    fn add_to(&self, bias: &mut [Interval], numbers: &[Interval]) {
        for (i, b) in bias.iter_mut().enumerate() {
            let place = self.places.as_ref().map_or(Some(i), |places| places.get(i).copied().flatten());
            let number = if place.is_some() { number_at(numbers, place) } else { ZERO };
            let weighted = self.weights.as_ref().map_or(number, |w| lowering::multiply(number_at(w, Some(i)), number));
            *b = lowering::add(*b, weighted);
        }
    }
}

/// The number at a place; everything, which no network accepts, outside.
fn number_at(numbers: &[Interval], place: Option<usize>) -> Interval {
    place.and_then(|place| numbers.get(place)).copied().unwrap_or(Interval::EVERYTHING)
}

impl<'a> Call<'_, 'a> {
    /// The number of elements of a shape, refused if the network has no room for them.
    pub fn size(&self, shape: &[usize]) -> Result<usize> {
        let size = count(shape).ok_or_else(|| self.refuse("a shape within the limits", format!("{shape:?}")))?;
        let limit = || format!("a model of at most {ALLOWANCE} elements beyond its size in bytes");
        self.require(size <= self.lowering.left, limit(), format!("{size} more"))?;
        Ok(size)
    }

    /// Counts elements or weights that are about to be allocated to stay.
    pub fn spend(&mut self, elements: usize) -> Result<()> {
        self.lowering.left -= self.size(&[elements])?;
        Ok(())
    }

    /// The elements of a constant of floats.
    pub fn reals(&self, tensor: &Tensor<'_>) -> Result<Vec<Interval>> {
        tensor.reals().ok_or_else(|| self.refuse("a constant of floats", "integers"))
    }

    /// A constant operand as weights of a map.
    pub fn weights(&self, index: usize) -> Result<Weights<'_>> {
        let weights = self.constant(index)?.weights();
        weights.ok_or_else(|| self.refuse(format!("floats of little relative error as input {index}"), "others"))
    }

    /// Enclosures as weights of a map, with their roundings.
    pub fn rounded(&self, enclosures: &[Interval]) -> Result<(Vec<f64>, usize)> {
        lowering::weights(enclosures).ok_or_else(|| self.refuse("factors of little relative error", "others"))
    }

    /// A new node.
    pub fn push(&mut self, size: usize, op: Op) -> Result<NodeId> {
        self.spend(size)?;
        self.lowering.nodes.push(Node { name: String::new(), size, op });
        Ok(self.lowering.nodes.len() - 1)
    }

    /// The sum of maps and parts: a constant if all of them are constants, the same node if nothing is computed, else
    /// a new affine node.
    pub fn sum(&mut self, shape: Vec<usize>, mut terms: Vec<Term>, parts: Vec<Part<'_, 'a>>) -> Result<Value<'a>> {
        let size = self.size(&shape)?;
        let mut bias = Vec::new();
        for part in parts {
            match part.value {
                Value::Constant(tensor) => {
                    bias.resize(size, ZERO);
                    part.add_to(&mut bias, &self.reals(tensor)?);
                }
                Value::Computed { node, .. } => terms.push(self.term(*node, size, part)?),
            }
        }
        if terms.is_empty() {
            self.spend(size)?;
            return Ok(Value::Constant(Tensor::real(shape, bias)));
        }
        if bias.iter().all(|b| *b == ZERO) {
            bias.clear();
        }
        let node = match terms.as_slice() {
            [Term { source, map: Map::Identity, .. }] if bias.is_empty() => *source,
            _ => self.push(size, Op::Affine(Affine { terms, bias }))?,
        };
        Ok(Value::Computed { node, shape })
    }

    fn term(&mut self, source: NodeId, size: usize, part: Part<'_, 'a>) -> Result<Term> {
        let source_size = self.lowering.nodes.get(source).map_or(0, |node| node.size);
        let stays = |places: &Table| size == source_size && places.iter().copied().eq((0..size).map(Some));
        let places = part.places.filter(|places| !stays(places));
        let Some(weights) = part.weights else {
            return Ok(Term { source, map: places.map_or(Map::Identity, Map::Select), roundings: 0 });
        };
        let (weights, roundings) = self.rounded(&weights)?;
        let map = match places {
            None => Map::Scale(weights),
            Some(places) => sparse(source_size, places.iter().zip(&weights).map(|(p, w)| p.map(|p| (p, *w)))),
        };
        Ok(Term { source, map, roundings })
    }

    /// The sum of values, each times a factor if it has one, all broadcast to a common shape.
    pub fn combine(&mut self, terms: &[(&Value<'a>, Option<&Tensor<'_>>)]) -> Result<Value<'a>> {
        let mut shape = Vec::new();
        let shapes = terms.iter().flat_map(|(value, factor)| [Some(value.shape()), factor.map(|f| f.shape.as_slice())]);
        for other in shapes.flatten() {
            shape = broadcast(&shape, other)
                .ok_or_else(|| self.refuse(format!("a shape that broadcasts to {shape:?}"), format!("{other:?}")))?;
        }
        self.size(&shape)?;
        let parts = terms.iter().map(|term| Part::broadcast(self, *term, &shape));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        self.sum(shape, Vec::new(), parts)
    }

    /// `a - b`, broadcast.
    pub fn difference(&mut self, a: &Value<'a>, b: &Value<'a>) -> Result<Value<'a>> {
        self.combine(&[(a, None), (b, Some(&Tensor::scalar(Interval::point(-1.0))))])
    }

    /// `max(0, z)` of every element.
    pub fn relu(&mut self, z: &Value<'a>) -> Result<Value<'a>> {
        match z {
            Value::Computed { node, shape } => {
                let node = self.push(self.size(shape)?, Op::Relu(*node))?;
                Ok(Value::Computed { node, shape: shape.clone() })
            }
            Value::Constant(tensor) => {
                let clamp = |i: &Interval| Interval { lo: i.lo.max(0.0), hi: i.hi.max(0.0) };
                let numbers = self.reals(tensor)?.iter().map(clamp).collect();
                Ok(Value::Constant(Tensor::real(tensor.shape.clone(), numbers)))
            }
        }
    }

    /// The elements of a value at places that tables give, zero where they give none.
    pub fn rearrange(&mut self, value: &Value<'a>, tables: &[Table]) -> Result<Value<'a>> {
        let shape: Vec<usize> = tables.iter().map(Vec::len).collect();
        self.size(&shape)?;
        self.place(value, shape, outer_sum(tables))
    }

    /// The elements of a value at the given places, zero where there are none.
    pub fn place(&mut self, value: &Value<'a>, shape: Vec<usize>, places: Table) -> Result<Value<'a>> {
        if let Value::Constant(Tensor { elements: Elements::Integer(integers), .. }) = value {
            let pick = |place: &Option<usize>| place.map_or(Some(0), |place| integers.get(place).copied());
            let picked: Option<Vec<i64>> = places.iter().map(pick).collect();
            self.spend(places.len())?;
            let elements = Elements::Integer(picked.ok_or_else(|| self.refuse("places in the source", "others"))?);
            return Ok(Value::Constant(Tensor { shape, elements }));
        }
        self.sum(shape, Vec::new(), vec![Part { value, places: Some(places), weights: None }])
    }
}

/// A sparse matrix, given the entries of each row.
pub(crate) fn sparse(inputs: usize, rows: impl Iterator<Item = impl IntoIterator<Item = (usize, f64)>>) -> Map {
    let (mut starts, mut entries) = (vec![0], Vec::new());
    for row in rows {
        entries.extend(row);
        starts.push(entries.len());
    }
    Map::Sparse(Sparse { inputs, starts, entries })
}
