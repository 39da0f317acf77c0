//! As much of ONNX as it takes to write files that nobody should load: protobuf by hand.

/// A message: fields one after another.
#[derive(Debug, Clone, Default)]
pub(super) struct Message(pub(super) Vec<u8>);

pub(super) const FLOAT: u64 = 1;
pub(super) const INT64: u64 = 7;
pub(super) const STRING: u64 = 8;
const BOOL: u64 = 9;

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    pub(super) fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub(super) fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }
}

pub(super) fn new() -> Message {
    Message::default()
}

/// A model of one graph, of the operators of version 13.
pub(super) fn model(graph: &Message) -> Vec<u8> {
    new().number(1, 8).message(7, graph).message(8, &new().number(2, 13)).0
}

pub(super) fn node(kind: &str, inputs: &[&str], outputs: &[&str]) -> Message {
    let mut node = new();
    for input in inputs {
        node = node.text(1, input);
    }
    for output in outputs {
        node = node.text(2, output);
    }
    node.text(4, kind)
}

/// A tensor without its values.
pub(super) fn tensor(name: &str, kind: u64, dims: &[i64]) -> Message {
    let mut tensor = new();
    for size in dims {
        tensor = tensor.number(1, size.cast_unsigned());
    }
    tensor.number(2, kind).text(8, name)
}

pub(super) fn floats(name: &str, dims: &[i64], values: &[f32]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, FLOAT, dims).bytes(9, &raw)
}

pub(super) fn ints(name: &str, dims: &[i64], values: &[i64]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, INT64, dims).bytes(9, &raw)
}

pub(super) fn truth(name: &str) -> Message {
    tensor(name, BOOL, &[]).bytes(9, &[1])
}

/// What a graph takes or gives.
pub(super) fn value(name: &str, kind: u64, dims: &[i64]) -> Message {
    let mut shape = new();
    for size in dims {
        shape = shape.message(1, &new().number(1, size.cast_unsigned()));
    }
    let tensor = new().number(1, kind).message(2, &shape);
    new().text(1, name).message(2, &new().message(1, &tensor))
}

/// The same of any shape.
pub(super) fn shapeless(name: &str, kind: u64) -> Message {
    new().text(1, name).message(2, &new().message(1, &new().number(1, kind)))
}

pub(super) fn truth_value(name: &str) -> Message {
    value(name, BOOL, &[])
}

pub(super) fn with_tensor(name: &str, tensor: &Message) -> Message {
    new().text(1, name).message(5, tensor).number(20, 4)
}

pub(super) fn with_graph(name: &str, graph: &Message) -> Message {
    new().text(1, name).message(6, graph).number(20, 5)
}

pub(super) fn with_number(name: &str, number: i64) -> Message {
    new().text(1, name).number(3, number.cast_unsigned()).number(20, 2)
}

/// A graph of these parts.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Message>,
    pub(super) constants: Vec<Message>,
    pub(super) inputs: Vec<Message>,
    pub(super) outputs: Vec<Message>,
}

impl Graph {
    pub(super) fn message(&self) -> Message {
        let mut graph = new().text(2, "graph");
        for (field, parts) in [(1, &self.nodes), (5, &self.constants), (11, &self.inputs), (12, &self.outputs)] {
            for part in parts {
                graph = graph.message(field, part);
            }
        }
        graph
    }

    pub(super) fn model(&self) -> Vec<u8> {
        model(&self.message())
    }
}

/// A good model: four numbers times a matrix.
pub(super) fn good() -> Vec<u8> {
    Graph {
        nodes: vec![node("MatMul", &["x", "w"], &["m"]), node("Add", &["m", "b"], &["y"])],
        constants: vec![floats("w", &[4, 4], &[0.5; 16]), floats("b", &[4], &[1.0, 2.0, 3.0, 4.0])],
        inputs: vec![value("x", FLOAT, &[1, 4])],
        outputs: vec![value("y", FLOAT, &[1, 4])],
    }
    .model()
}
