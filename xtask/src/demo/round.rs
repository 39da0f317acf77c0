//! One round: sentences go out from different nodes, and others compute the answers.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::Value;

use crate::fleet::Fleet;
use crate::run::{check_interrupt, say};

/// Sentences that leave no doubt, and what they are.
const SENTENCES: [(&str, &str); 3] = [
    ("What a wonderful film, I laughed and cried and would see it again tomorrow.", "positive"),
    ("The room was dirty, the food was cold and nobody answered when we complained.", "negative"),
    ("Our new neighbours are kind and funny, and the children adore them.", "positive"),
];

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    nodes: Vec<NodeRecord>,
    tasks: Vec<TaskRecord>,
}

#[derive(Debug, Serialize)]
struct NodeRecord {
    name: String,
    device_id: String,
    pid: Option<u32>,
    peers: usize,
}

#[derive(Debug, Serialize)]
struct TaskRecord {
    text: String,
    label: String,
    score: f64,
    /// Device ids of who asked and who computed.
    requester: String,
    provider: String,
    stages: Vec<Value>,
    receipt: Value,
}

/// Submits every sentence from another node and tells what happened.
pub(super) fn play(fleet: &Fleet) -> Result<Document> {
    let mut tasks = Vec::new();
    for (turn, (text, _)) in SENTENCES.iter().enumerate() {
        check_interrupt()?;
        tasks.push(submit(fleet, turn % fleet.nodes.len(), text)?);
    }
    let record = |(index, node): (usize, &crate::fleet::Node)| {
        let peers = fleet.peers(index)?;
        Ok(NodeRecord { name: node.name.clone(), device_id: node.device_id.clone(), pid: node.pid(), peers })
    };
    let nodes = fleet.nodes.iter().enumerate().map(record).collect::<Result<_>>()?;
    Ok(Document { nodes, tasks })
}

fn submit(fleet: &Fleet, index: usize, text: &str) -> Result<TaskRecord> {
    let requester = &fleet.nodes[index];
    say(format!("{} asks: \"{text}\"", requester.name));
    let words = ["task", "submit", "sentiment", "--text", text, "--privacy", "trusted", "--where", "network", "--wait"];
    let task = fleet.agent(index, &words)?;
    let stages = task["stages"].as_array().cloned().context("a task has stages")?;
    for stage in &stages {
        say(line(fleet, stage));
    }
    let result = &task["results"][0];
    let record = TaskRecord {
        text: text.to_owned(),
        label: result["label"].as_str().with_context(|| format!("no answer: {task}"))?.to_owned(),
        score: result["score"].as_f64().context("an answer has a score")?,
        requester: requester.device_id.clone(),
        provider: task["providers"][0].as_str().context("an answer has a provider")?.to_owned(),
        stages,
        receipt: task["receipts"][0].clone(),
    };
    let provider = &fleet.named(&record.provider)?.name;
    say(format!("    {} ({:.1} %), computed by {provider}", record.label, record.score * 100.0));
    Ok(record)
}

/// One stage as people read it.
fn line(fleet: &Fleet, stage: &Value) -> String {
    let word = stage["stage"].as_str().unwrap_or("?");
    let mut letters = word.chars();
    let title = letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str());
    let who = stage["provider"].as_str().and_then(|id| fleet.named(id).ok());
    let who = who.map_or_else(String::new, |node| format!("{}: ", node.name));
    let detail = stage["detail"].as_str().unwrap_or_default();
    let at_ms = stage["elapsed_us"].as_f64().unwrap_or_default() / 1000.0;
    format!("    {:<10} {at_ms:8.1} ms  {who}{detail}", title.unwrap_or_default())
}

/// # Errors
/// When an answer is wrong, was not computed by another node, or has no receipt of that node.
pub(super) fn verdict(document: &Document) -> Result<()> {
    for (task, (text, expected)) in document.tasks.iter().zip(SENTENCES) {
        if task.label != expected {
            bail!("\"{text}\" is {expected}, not {}", task.label);
        }
        if task.provider == task.requester {
            bail!("\"{text}\" was computed by the node that asked");
        }
        if task.receipt["provider"] != *task.provider || task.receipt["requester"] != *task.requester {
            bail!("\"{text}\" has no receipt of the node that computed it");
        }
    }
    if document.tasks.len() != SENTENCES.len() {
        bail!("{} of {} sentences were answered", document.tasks.len(), SENTENCES.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Document {
        let task = |(text, label): &(&str, &str)| TaskRecord {
            text: (*text).to_owned(),
            label: (*label).to_owned(),
            score: 0.9,
            requester: "a".to_owned(),
            provider: "b".to_owned(),
            stages: Vec::new(),
            receipt: json!({"provider": "b", "requester": "a"}),
        };
        Document { nodes: Vec::new(), tasks: SENTENCES.iter().map(task).collect() }
    }

    #[test]
    fn right_answers_of_another_node_are_fine() {
        verdict(&document()).expect("all is well");
    }

    #[test]
    fn a_wrong_answer_fails() {
        let mut wrong = document();
        wrong.tasks[1].label = "positive".to_owned();
        assert!(verdict(&wrong).is_err());
    }

    #[test]
    fn an_answer_of_the_asking_node_fails() {
        let mut own = document();
        own.tasks[0].provider = "a".to_owned();
        assert!(verdict(&own).is_err());
    }

    #[test]
    fn a_missing_or_foreign_receipt_fails() {
        let mut without = document();
        without.tasks[2].receipt = Value::Null;
        assert!(verdict(&without).is_err());
        let mut foreign = document();
        foreign.tasks[2].receipt = json!({"provider": "c", "requester": "a"});
        assert!(verdict(&foreign).is_err());
    }

    #[test]
    fn a_missing_answer_fails() {
        let mut short = document();
        short.tasks.pop();
        assert!(verdict(&short).is_err());
    }
}
