//! The files: each is one idea of how to harm whoever loads it.

use std::path::Path;

use super::onnx::*;

/// What nobody may see: the numbers of a file beside the models.
pub(super) const SECRET: f32 = 1337.25;
const GIB: i64 = 1 << 30;

/// Names and contents. `secret` is the file that they try to read.
pub(super) fn files(secret: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for (name, bytes) in [references(secret), bombs(), shapes(), graphs(), types()].into_iter().flatten() {
        files.push((name, bytes));
    }
    files.extend(damaged());
    files
}

type Files = Vec<(String, Vec<u8>)>;

fn named(files: Vec<(&str, Vec<u8>)>) -> Files {
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// A graph whose output is this node's.
fn one(node: Message, constants: Vec<Message>) -> Vec<u8> {
    of_kind(FLOAT, node, constants)
}

fn of_kind(kind: u64, node: Message, constants: Vec<Message>) -> Vec<u8> {
    Graph { nodes: vec![node], constants, inputs: vec![], outputs: vec![shapeless("y", kind)] }.model()
}

/// Weights in other files.
fn references(secret: &Path) -> Files {
    let absolute = secret.to_string_lossy().into_owned();
    let entry = |key: &str, value: &str| new().text(1, key).text(2, value);
    let outside = |place: &str, offset: &str, length: &str| {
        let mut weights = tensor("w", FLOAT, &[4]).number(14, 1).message(13, &entry("location", place));
        weights = weights.message(13, &entry("offset", offset)).message(13, &entry("length", length));
        one(node("Identity", &["w"], &["y"]), vec![weights])
    };
    named(vec![
        ("outside_relative", outside("../secret", "0", "16")),
        ("outside_deeper", outside("../../../../../../../../etc/passwd", "0", "16")),
        ("outside_absolute", outside(&absolute, "0", "16")),
        ("outside_by_the_folder", outside("./../models/../secret", "0", "16")),
        ("outside_by_link", outside("link", "0", "16")),
        ("outside_by_linked_folder", outside("links/secret", "0", "16")),
        ("outside_backslash", outside("..\\secret", "0", "16")),
        ("outside_url", outside("file:///etc/passwd", "0", "16")),
        ("outside_kernel", outside("/proc/self/maps", "0", "16")),
        ("outside_device", outside("/dev/zero", "0", "16")),
        ("outside_missing", outside("nowhere", "0", "16")),
        ("outside_no_place", outside("", "0", "16")),
        ("outside_negative_offset", outside("beside", "-8", "16")),
        ("outside_overflow", outside("beside", "9223372036854775807", "16")),
        ("outside_long", outside("beside", "0", "9223372036854775807")),
        ("outside_memory", outside("*/_ORT_MEM_ADDR_/*", "4096", "16")),
    ])
}

/// Few bytes that become many.
fn bombs() -> Files {
    let fill = |dims: &[i64]| {
        let mut node = node("ConstantOfShape", &["s"], &["y"]);
        node = node.message(5, &with_tensor("value", &floats("v", &[1], &[1.0])));
        one(node, vec![ints("s", &[dims.len() as i64], dims)])
    };
    let sparse = |size: i64| {
        let sparse = new()
            .message(1, &floats("w", &[1], &[1.0]))
            .message(2, &ints("i", &[1], &[0]))
            .number(3, size.cast_unsigned());
        let graph = Graph {
            nodes: vec![node("Identity", &["w"], &["y"])],
            outputs: vec![shapeless("y", FLOAT)],
            ..Graph::default()
        };
        model(&graph.message().message(15, &sparse))
    };
    let expand = |times: &[i64]| {
        one(
            node("Expand", &["v", "s"], &["y"]),
            vec![floats("v", &[1], &[1.0]), ints("s", &[times.len() as i64], times)],
        )
    };
    let twice = {
        // Each step has twice the values of the one before.
        let names: Vec<String> = (0..40).map(|step| format!("t{step}")).collect();
        let mut nodes: Vec<Message> = names
            .windows(2)
            .map(|pair| node("Concat", &[&pair[0], &pair[0]], &[&pair[1]]).message(5, &with_number("axis", 0)))
            .collect();
        nodes.push(node("Identity", &["t39"], &["y"]));
        Graph {
            nodes,
            constants: vec![floats("t0", &[4], &[1.0; 4])],
            inputs: vec![],
            outputs: vec![shapeless("y", FLOAT)],
        }
        .model()
    };
    let scalar = |name: &str, value: i64| ints(name, &[], &[value]);
    named(vec![
        ("fill_1_gib", fill(&[GIB / 4])),
        ("fill_64_gib", fill(&[GIB * 16])),
        ("fill_square", fill(&[1 << 20, 1 << 12])),
        ("fill_overflow", fill(&[1 << 62, 8])),
        ("fill_negative", fill(&[-1])),
        ("sparse_1_gib", sparse(GIB / 4)),
        ("sparse_1_tib", sparse(1 << 38)),
        ("expand", expand(&[GIB])),
        ("expand_overflow", expand(&[1 << 40, 1 << 40])),
        ("tile", one(node("Tile", &["v", "s"], &["y"]), vec![floats("v", &[4], &[1.0; 4]), ints("s", &[1], &[GIB])])),
        (
            "range",
            of_kind(
                INT64,
                node("Range", &["a", "b", "c"], &["y"]),
                vec![scalar("a", 0), scalar("b", i64::MAX), scalar("c", 1)],
            ),
        ),
        (
            "range_without_step",
            of_kind(
                INT64,
                node("Range", &["a", "b", "c"], &["y"]),
                vec![scalar("a", 0), scalar("b", 9), scalar("c", 0)],
            ),
        ),
        ("twice_and_twice", twice),
        ("pad", one(node("Pad", &["v", "s"], &["y"]), vec![floats("v", &[1], &[1.0]), ints("s", &[2], &[GIB, GIB])])),
        (
            "one_hot",
            one(
                node("OneHot", &["i", "d", "v"], &["y"]),
                vec![ints("i", &[1], &[0]), scalar("d", GIB), floats("v", &[2], &[0.0, 1.0])],
            ),
        ),
        ("eye", one(node("EyeLike", &["v"], &["y"]), vec![tensor("v", FLOAT, &[1 << 15, 1 << 15])])),
        (
            "resize",
            one(
                node("Resize", &["v", "", "s"], &["y"]),
                vec![floats("v", &[1, 1, 1, 1], &[1.0]), floats("s", &[4], &[1.0, 1.0, 1e5, 1e5])],
            ),
        ),
        (
            "reshape_to_more",
            one(node("Reshape", &["v", "s"], &["y"]), vec![floats("v", &[1], &[1.0]), ints("s", &[1], &[GIB])]),
        ),
        (
            "gather_outside",
            one(node("Gather", &["v", "i"], &["y"]), vec![floats("v", &[1], &[1.0]), ints("i", &[1], &[GIB])]),
        ),
        (
            "scatter_outside",
            one(
                node("ScatterND", &["v", "i", "u"], &["y"]),
                vec![floats("v", &[4], &[1.0; 4]), ints("i", &[1, 1], &[-GIB]), floats("u", &[1], &[1.0])],
            ),
        ),
    ])
}

/// Tensors that are not what they say.
fn shapes() -> Files {
    let weights = |tensor: Message| one(node("Identity", &["w"], &["y"]), vec![tensor]);
    let many: Vec<i64> = vec![2; 1000];
    named(vec![
        ("dims_huge", weights(floats("w", &[1 << 40], &[1.0]))),
        ("dims_overflow", weights(floats("w", &[1 << 62, 8], &[1.0]))),
        ("dims_overflow_to_zero", weights(floats("w", &[1 << 32, 1 << 32], &[1.0]))),
        ("dims_negative", weights(floats("w", &[-4], &[1.0; 4]))),
        ("dims_least", weights(floats("w", &[i64::MIN], &[]))),
        ("dims_many", weights(floats("w", &many, &[1.0]))),
        ("values_missing", weights(tensor("w", FLOAT, &[4]))),
        ("values_too_few", weights(floats("w", &[1000], &[1.0]))),
        ("values_too_many", weights(floats("w", &[1], &[1.0; 1000]))),
        ("kind_unknown", weights(tensor("w", 9999, &[1]).bytes(9, &[0; 4]))),
        ("kind_none", weights(tensor("w", 0, &[1]).bytes(9, &[0; 4]))),
        ("strings_as_floats", weights(tensor("w", STRING, &[4]).text(6, "a").text(6, "b"))),
        ("strings_raw", weights(tensor("w", STRING, &[4]).bytes(9, &[255; 32]))),
        (
            "same_name_twice",
            one(node("Identity", &["w"], &["y"]), vec![floats("w", &[1], &[1.0]), floats("w", &[2], &[1.0; 2])]),
        ),
    ])
}

/// Choices within choices.
fn choices(depth: usize) -> Vec<u8> {
    let outputs = || vec![shapeless("y", FLOAT)];
    let leaf = || Graph { nodes: vec![node("Identity", &["w"], &["y"])], outputs: outputs(), ..Graph::default() };
    let mut deep = leaf();
    for _ in 0..depth {
        let choice = node("If", &["c"], &["y"]).message(5, &with_graph("then_branch", &deep.message()));
        let choice = choice.message(5, &with_graph("else_branch", &leaf().message()));
        deep = Graph { nodes: vec![choice], outputs: outputs(), ..Graph::default() };
    }
    deep.constants = vec![floats("w", &[1], &[1.0]), truth("c")];
    deep.model()
}

/// As many turns as can be counted, each of which says to go on.
fn forever() -> Message {
    let body = Graph {
        nodes: vec![node("Identity", &["go"], &["on"]), node("Add", &["v", "v"], &["next"])],
        inputs: vec![value("turn", INT64, &[]), truth_value("go"), value("v", FLOAT, &[1])],
        outputs: vec![truth_value("on"), value("next", FLOAT, &[1])],
        ..Graph::default()
    };
    node("Loop", &["n", "c", "w"], &["y"]).message(5, &with_graph("body", &body.message()))
}

/// Graphs that do not end, or are none.
fn graphs() -> Files {
    let weights = || vec![floats("w", &[1], &[1.0])];
    let with = |nodes: Vec<Message>, constants: Vec<Message>| {
        Graph { nodes, constants, inputs: vec![], outputs: vec![shapeless("y", FLOAT)] }.model()
    };
    let same = |to: &str| node("Identity", &["w"], &[to]);
    let long: Vec<Message> = (0..50_000).map(|step| same(&format!("t{step}"))).chain([same("y")]).collect();
    let step = |step: usize| node("Neg", &[&format!("t{step}")], &[&format!("t{}", step + 1)]);
    let chain = (0..10_000).map(step).chain([node("Neg", &["t10000"], &["y"])]).collect();
    let turns = vec![ints("n", &[], &[i64::MAX]), truth("c"), floats("w", &[1], &[1.0])];
    let huge = new().text(1, "a").bytes(4, &vec![b'x'; 8 << 20]).number(20, 3);
    let empty = Graph::default().message();
    let nested = (0..20_000)
        .fold(new().text(4, "x"), |inner, _| if inner.0.len() < 100_000 { new().message(6, &inner) } else { inner });
    let version = |format: u64, operators: u64| {
        new().number(1, format).message(7, &empty).message(8, &new().number(2, operators)).0
    };
    let neg = |from: &str, to: &str| node("Neg", &[from], &[to]);
    named(vec![
        ("deep_choices_10", choices(10)),
        ("deep_choices_30", choices(30)),
        ("deep_choices_300", choices(300)),
        ("loop_forever", with(vec![forever()], turns)),
        ("many_nodes", with(long, weights())),
        ("long_chain", with(chain, vec![floats("t0", &[1], &[1.0])])),
        ("circle", with(vec![neg("a", "b"), neg("b", "a"), neg("a", "y")], vec![])),
        ("circle_of_one", with(vec![neg("y", "y")], vec![])),
        ("input_missing", with(vec![neg("nobody", "y")], vec![])),
        ("output_missing", with(vec![], vec![])),
        ("made_twice", with(vec![neg("w", "y"), neg("w", "y")], weights())),
        ("no_inputs_at_all", with(vec![node("MatMul", &[], &["y"])], vec![])),
        ("operator_unknown", with(vec![node("Format", &["w"], &["y"])], weights())),
        ("domain_unknown", with(vec![neg("w", "y").text(7, "com.nobody")], weights())),
        ("domain_that_runs_code", with(vec![node("PyOp", &["w"], &["y"]).text(7, "ai.onnx.contrib")], weights())),
        ("control_without_graph", with(vec![node("If", &["c"], &["y"])], vec![truth("c")])),
        ("attribute_huge", with(vec![neg("w", "y").message(5, &huge)], weights())),
        ("graph_empty", model(&empty)),
        ("message_in_message", model(&nested)),
        ("operators_of_the_future", version(8, u64::MAX >> 1)),
        ("format_of_the_future", version(1 << 60, 13)),
    ])
}

/// Words that are no words, and kinds that do not fit.
fn types() -> Files {
    let bad = String::from_utf8_lossy(&[0x41; 4]).into_owned();
    let wrong = new().bytes(1, &[0xff, 0xfe, 0x80]).bytes(2, &[0xc0, 0x80]).bytes(4, b"Neg");
    let numbers = |kind: &str, first: Message, second: Message| {
        of_kind(INT64, node(kind, &["a", "b"], &["y"]), vec![first, second])
    };
    let mixed = |kind: &str, first: Message, second: Message| one(node(kind, &["a", "b"], &["y"]), vec![first, second]);
    named(vec![
        ("names_not_utf8", one(wrong, vec![])),
        ("name_of_a_mebibyte", one(node("Neg", &[&bad.repeat(1 << 18)], &["y"]), vec![])),
        ("names_with_zeros", one(node("Neg", &["a\0b"], &["y"]), vec![floats("a\0b", &[1], &[1.0])])),
        ("adds_text_to_number", mixed("Add", tensor("a", STRING, &[1]).text(6, "x"), floats("b", &[1], &[1.0]))),
        (
            "multiplies_what_does_not_fit",
            mixed("MatMul", floats("a", &[2, 3], &[1.0; 6]), floats("b", &[5, 7], &[1.0; 35])),
        ),
        ("divides_by_zero", numbers("Div", ints("a", &[1], &[i64::MIN]), ints("b", &[1], &[0]))),
        ("divides_least_by_minus_one", numbers("Div", ints("a", &[1], &[i64::MIN]), ints("b", &[1], &[-1]))),
        ("empty", Vec::new()),
        ("zeros", vec![0; 4096]),
        ("ones", vec![255; 4096]),
        ("a_program", b"\x7fELF\x02\x01\x01".repeat(64)),
        ("a_script", b"#!/bin/sh\ntouch escaped\n".to_vec()),
    ])
}

/// The good model, cut and changed.
fn damaged() -> Files {
    let good = good();
    let mut files = Files::new();
    for part in 1..8 {
        files.push((format!("cut_{part}"), good[..good.len() * part / 8].to_vec()));
    }
    for place in (0..good.len()).step_by(good.len() / 24) {
        let mut bytes = good.clone();
        bytes[place] ^= 0xff;
        files.push((format!("changed_{place}"), bytes));
    }
    files
}
