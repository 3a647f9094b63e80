//! The network in the making, and what operators build it from: sums of weighted, rearranged values, and ReLUs.

use super::{
    Affine, Call, Elements, Execution, Interval, Map, Node, NodeId, ONE, Op, Result, Sparse, Table, Term, Value, ZERO,
    broadcast, count, lowering, outer_sum, stretch,
};

/// How many elements and weights the nodes may hold together beyond one for each byte of the file.
pub(crate) const ALLOWANCE: usize = 1 << 24;

/// The network that is being built.
pub(crate) struct Builder {
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// How many more elements and weights it may hold.
    pub left: usize,
    /// The activation at the end that was left out.
    pub dropped: Option<String>,
    /// Why only real arithmetic is modelled, if so.
    pub real_only: Option<String>,
}

/// What executions round in the affine nodes of an operator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rounding {
    /// Nothing: elements are copied or compared.
    Nothing,
    /// Sums of products, and this many further roundings behind a summand.
    Sums(usize),
}

/// One summand of an affine node: each result element takes at most one element of the value, times a factor if there
/// is one, which is broadcast. The table says which elements; without one the value is broadcast too.
pub(crate) type Part<'v, 'a> = (&'v Value<'a>, Option<&'v Value<'a>>, Option<Table>);

impl<'a> Call<'_, 'a> {
    /// The number of elements of a shape, refused if the network has no room for them.
    pub fn size(&self, shape: &[usize]) -> Result<usize> {
        let size = self.demand(count(shape), "a shape within the limits", format!("{shape:?}"))?;
        let limit = format!("a model of at most {ALLOWANCE} elements beyond its size in bytes");
        self.require(size <= self.network.left, limit, format!("{size} more"))?;
        Ok(size)
    }

    /// Counts elements or weights that are about to be allocated to stay.
    pub fn spend(&mut self, elements: usize) -> Result<()> {
        self.network.left -= self.size(&[elements])?;
        Ok(())
    }

    /// The elements of a constant of floats.
    pub fn reals(&self, value: &Value<'_>) -> Result<Vec<Interval>> {
        self.demand(value.reals(), "a constant of floats", value.kind())
    }

    /// Enclosures as weights of a map, with their roundings.
    pub fn rounded(&self, enclosures: &[Interval]) -> Result<(Vec<f64>, usize)> {
        self.demand(lowering::weights(enclosures), "factors of little relative error", "others")
    }

    fn push(&mut self, shape: Vec<usize>, op: Op) -> Result<Value<'a>> {
        let size = self.size(&shape)?;
        self.spend(size)?;
        let first = self.outputs.first().copied().unwrap_or_default();
        let node = self.network.nodes.len();
        self.network.nodes.push(Node { name: format!("{first}.{}", node - self.before), size, op });
        Ok(Value { shape, elements: Elements::Node(node) })
    }

    /// The sum of maps and parts: a constant if all of them are constants, the same node if nothing is computed, else
    /// a new affine node.
    pub fn sum(&mut self, shape: Vec<usize>, mut terms: Vec<Term>, parts: Vec<Part<'_, 'a>>) -> Result<Value<'a>> {
        let size = self.size(&shape)?;
        let (mut bias, mut sizes) = (Vec::new(), Vec::new());
        let constants = parts.iter().filter(|(value, ..)| value.node().is_none()).count();
        let computes = parts.len() > 1 || parts.iter().any(|(_, factor, _)| factor.is_some());
        for (value, factor, places) in parts {
            let places = places.unwrap_or_else(|| stretch(&value.shape, &shape));
            let stretched = |value: &Value<'a>| self.pick(value, &shape, &stretch(&value.shape, &shape));
            let factor = factor.map(|factor| self.reals(&stretched(factor)?)).transpose()?;
            if let Some(node) = value.node() {
                terms.push(self.term(node, places, factor)?);
                continue;
            }
            self.require(value.integers().is_none(), "a constant of floats", value.kind())?;
            let factors = factor.into_iter().flatten().chain(std::iter::repeat(ONE));
            bias.resize(size, ZERO);
            sizes.resize(size, 0.0);
            for (((b, s), place), factor) in bias.iter_mut().zip(&mut sizes).zip(places).zip(factors) {
                let number = place.map_or(Some(ZERO), |place| value.number(place)).unwrap_or(Interval::EVERYTHING);
                let summand = lowering::multiply(factor, number);
                *b = lowering::add(*b, summand);
                *s = lowering::add_sizes(*s, summand.magnitude());
            }
        }
        if terms.is_empty() {
            if computes && self.rounding != Rounding::Nothing {
                self.only_real("computes constants from constants");
            }
            self.spend(size)?;
            return Ok(Value::real(shape, bias));
        }
        if constants < 2 {
            sizes.clear();
        }
        if bias.iter().all(|b| *b == ZERO) && sizes.is_empty() {
            bias.clear();
        }
        let execution = match self.rounding {
            Rounding::Nothing => Execution::Exact,
            Rounding::Sums(extra) => Execution::Sum { extra, constant: sizes },
        };
        match terms.as_slice() {
            [Term { source, map: Map::Identity, .. }] if bias.is_empty() => {
                Ok(Value { shape, elements: Elements::Node(*source) })
            }
            _ => self.push(shape, Op::Affine(Affine { terms, bias, execution })),
        }
    }

    /// The map that takes elements of a node to other places, times a factor for each place.
    fn term(&mut self, source: NodeId, places: Table, factor: Option<Vec<Interval>>) -> Result<Term> {
        let size = self.network.nodes.get(source).map_or(0, |node| node.size);
        let stays = places.iter().copied().eq((0..size).map(Some));
        let Some(factor) = factor else {
            return Ok(Term { source, map: if stays { Map::Identity } else { Map::Select(places) }, roundings: 0 });
        };
        let (weights, roundings) = self.rounded(&factor)?;
        let rows = places.iter().zip(&weights).map(|(place, weight)| place.map(|place| (place, *weight)));
        let map = if stays { Map::Scale(weights) } else { sparse(size, rows) };
        Ok(Term { source, map, roundings })
    }

    /// The sum of values, each times a factor if it has one, all broadcast to a common shape.
    pub fn combine(&mut self, terms: &[(&Value<'a>, Option<&Value<'a>>)]) -> Result<Value<'a>> {
        let mut shape = Vec::new();
        for other in terms.iter().flat_map(|(value, factor)| [Some(*value), *factor]).flatten() {
            let expected = format!("a shape that broadcasts to {shape:?}");
            shape = self.demand(broadcast(&shape, &other.shape), expected, format!("{:?}", other.shape))?;
        }
        self.sum(shape, Vec::new(), terms.iter().map(|(value, factor)| (*value, *factor, None)).collect())
    }

    /// `max(0, z)` of every element.
    pub fn relu(&mut self, z: &Value<'a>) -> Result<Value<'a>> {
        if let Some(node) = z.node() {
            return self.push(z.shape.clone(), Op::Relu(node));
        }
        let clamp = |i: &Interval| Interval { lo: i.lo.max(0.0), hi: i.hi.max(0.0) };
        Ok(Value::real(z.shape.clone(), self.reals(z)?.iter().map(clamp).collect()))
    }

    /// The shape that tables give, and where its elements come from.
    pub fn places(&self, tables: &[Table]) -> Result<(Vec<usize>, Table)> {
        let shape: Vec<usize> = tables.iter().map(Vec::len).collect();
        self.size(&shape)?;
        Ok((shape, outer_sum(tables)))
    }

    /// The elements of a value at places that tables give, zero where they give none.
    pub fn rearrange(&mut self, value: &Value<'a>, tables: &[Table]) -> Result<Value<'a>> {
        let (shape, places) = self.places(tables)?;
        self.place(value, shape, places)
    }

    /// A value, which can be, broadcast to a shape.
    pub fn stretch(&mut self, value: &Value<'a>, shape: &[usize]) -> Result<Value<'a>> {
        self.size(shape)?;
        self.place(value, shape.to_vec(), stretch(&value.shape, shape))
    }

    /// Runs part of an operator of which executions round something else.
    pub fn rounding<T>(&mut self, rounding: Rounding, part: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.rounding, rounding);
        let result = part(self);
        self.rounding = before;
        result
    }

    /// Notes that executions may round more than the network's nodes tell.
    pub fn only_real(&mut self, what: &str) {
        let why = format!("node {} ({}) {what}", self.name, self.operator);
        self.network.real_only.get_or_insert(why);
    }

    /// The same value after a rounding that executions may do.
    pub fn round(&mut self, value: &Value<'a>) -> Result<Value<'a>> {
        let terms = vec![Term { source: self.node(value)?, map: Map::Identity, roundings: 0 }];
        let execution = Execution::Sum { extra: 1, constant: Vec::new() };
        self.push(value.shape.clone(), Op::Affine(Affine { terms, bias: Vec::new(), execution }))
    }

    /// The elements of a value at the given places, zero where there are none.
    pub fn place(&mut self, value: &Value<'a>, shape: Vec<usize>, places: Table) -> Result<Value<'a>> {
        if value.node().is_some() {
            return self
                .rounding(Rounding::Nothing, |call| call.sum(shape, Vec::new(), vec![(value, None, Some(places))]));
        }
        self.spend(places.len())?;
        self.pick(value, &shape, &places)
    }

    /// The elements of a constant at the given places, zero where there are none.
    pub fn pick(&self, constant: &Value<'a>, shape: &[usize], places: &Table) -> Result<Value<'a>> {
        self.demand(constant.pick(shape.to_vec(), places), "places in a constant", "others")
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
