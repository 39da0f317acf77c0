use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::engine::Node;

fn document() -> Value {
    serde_json::to_value(p2p_control::openapi::document()).expect("JSON")
}

#[test]
fn the_committed_document_is_the_one_the_routes_make() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/generated/openapi.json");
    let made = serde_json::to_string_pretty(&document()).expect("JSON") + "\n";
    if std::env::var_os("P2P_AGENT_UPDATE").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, &made).expect("written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "docs/generated/openapi.json is not what the routes make - a route or a type changed - run this test with \
         P2P_AGENT_UPDATE=1, then make the TypeScript types again"
    );
}

#[test]
fn the_document_is_complete() {
    let document = document();
    let paths = document["paths"].as_object().expect("paths");
    let mut ids = BTreeSet::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let what = format!("{method} {path}");
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id), "{id} stands twice");
            assert!(operation["summary"].is_string(), "{what} has no words");
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem", "{what}");
            let parameters = operation["parameters"].as_array().map_or(0, Vec::len);
            assert!(parameters >= path.matches('{').count(), "{what} does not describe its parameters");
        }
    }
    assert_eq!(ids.len(), 38, "{ids:?}");
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let text = document.to_string();
    let mentioned = text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().expect("a name"));
    for name in mentioned {
        assert!(schemas.contains_key(name), "{name} is mentioned and not described");
    }
    assert!(schemas.contains_key("Event") && schemas.contains_key("LogLine"));
}

#[tokio::test]
async fn the_server_hands_the_document_out() {
    let node = Node::start();
    let (status, body) = node.client().await.raw("GET", "/api/v1/openapi.json", None).await.expect("an answer");
    let served: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((status, served), (200, document()));
}
