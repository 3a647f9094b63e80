//! Writes small ONNX files for the tests.

/// A message as its bytes.
#[derive(Clone, Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    pub fn integer(mut self, number: u64, value: i64) -> Self {
        self.varint(number << 3);
        self.varint(value.cast_unsigned());
        self
    }

    pub fn bytes(mut self, number: u64, bytes: &[u8]) -> Self {
        self.varint(number << 3 | 2);
        self.varint(bytes.len().try_into().unwrap());
        self.0.extend(bytes);
        self
    }

    pub fn text(self, number: u64, text: &str) -> Self {
        self.bytes(number, text.as_bytes())
    }

    pub fn message(self, number: u64, message: &Message) -> Self {
        self.bytes(number, &message.0)
    }

    pub fn float(mut self, number: u64, value: f32) -> Self {
        self.varint(number << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn each<T>(self, items: &[T], add: impl Fn(Self, &T) -> Self) -> Self {
        items.iter().fold(self, add)
    }
}

/// A model in the making: a chain of nodes from `x` to `y`.
#[derive(Clone)]
pub struct Model {
    pub opset: i64,
    pub input: Message,
    pub output: Message,
    pub graph: Message,
}

/// The description of a value; a dimension of 0 is symbolic.
pub fn value_info(name: &str, element: i64, shape: &[i64]) -> Message {
    let dimension = |n: &i64| if *n == 0 { Message::default().text(2, "n") } else { Message::default().integer(1, *n) };
    let dimensions = Message::default().each(shape, |message, n| message.message(1, &dimension(n)));
    let tensor = Message::default().integer(1, element).message(2, &dimensions);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

/// A model from floats `x` of a shape to `y`.
pub fn model(shape: &[i64]) -> Model {
    let output = Message::default().text(1, "y");
    Model { opset: 13, input: value_info("x", 1, shape), output, graph: Message::default() }
}

impl Model {
    pub fn opset(mut self, opset: i64) -> Self {
        self.opset = opset;
        self
    }

    /// Adds a node `operator`, `inputs -> outputs` separated by spaces (`_` for one that is left out).
    pub fn node(mut self, operator: &str, names: &str, attributes: &[Message]) -> Self {
        let (inputs, outputs) = names.split_once("->").unwrap();
        let texts = |node: Message, number, names: &str| {
            let names: Vec<&str> = names.split_whitespace().collect();
            node.each(&names, |node, name| node.text(number, if *name == "_" { "" } else { name }))
        };
        let node = texts(texts(Message::default(), 1, inputs), 2, outputs);
        let node = node.text(3, &format!("the{operator}")).text(4, operator);
        self.graph = self.graph.message(1, &node.each(attributes, |node, attribute| node.message(5, attribute)));
        self
    }

    pub fn floats(self, name: &str, shape: &[i64], values: &[f32]) -> Self {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(&tensor(name, 1, shape).bytes(9, &raw))
    }

    pub fn integers(self, name: &str, values: &[i64]) -> Self {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(&tensor(name, 7, &[values.len().try_into().unwrap()]).bytes(9, &raw))
    }

    pub fn tensor(mut self, tensor: &Message) -> Self {
        self.graph = self.graph.message(5, tensor);
        self
    }

    /// The file, the graph last so that no shorter file is a model.
    pub fn bytes(&self) -> Vec<u8> {
        let graph = self.graph.clone().message(11, &self.input).message(12, &self.output);
        let opset = Message::default().text(1, "").integer(2, self.opset);
        Message::default().integer(1, 8).message(8, &opset).message(7, &graph).0
    }
}

/// A tensor without its elements.
pub fn tensor(name: &str, element: i64, shape: &[i64]) -> Message {
    Message::default().each(shape, |tensor, n| tensor.integer(1, *n)).integer(2, element).text(8, name)
}

pub fn integer(name: &str, value: i64) -> Message {
    Message::default().text(1, name).integer(3, value).integer(20, 2)
}

pub fn integers(name: &str, values: &[i64]) -> Message {
    Message::default().text(1, name).each(values, |attribute, value| attribute.integer(8, *value)).integer(20, 7)
}

pub fn float(name: &str, value: f32) -> Message {
    Message::default().text(1, name).float(2, value).integer(20, 1)
}

pub fn text(name: &str, value: &str) -> Message {
    Message::default().text(1, name).text(4, value).integer(20, 3)
}
