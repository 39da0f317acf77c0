//! The description of the control API, taken from the routes themselves.

use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, InfoBuilder, License, OpenApi, PathItem, Ref, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::api::Problem;

/// The whole API as an OpenAPI 3.1 document. The committed copy is `docs/generated/openapi.json`.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = crate::server::documented().into_openapi();
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    document.info = InfoBuilder::new()
        .title("P2P Agent control API")
        .version("1")
        .description(Some(
            "How the CLI, the tray, the dashboard and your own programs speak to a node: over its local socket, or \
             over 127.0.0.1 with a token where that door is open. Times are milliseconds since the Unix epoch. \
             Every answer that is not a success is a problem document with a code that keeps its meaning.",
        ))
        .license(Some(license))
        .build();
    let components = document.components.get_or_insert_default();
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            operation.responses.responses.insert("default".to_owned(), problem().into());
            // The same routes under a second name; operation ids must differ.
            if let (true, Some(id)) = (path.starts_with("/api/v1/agents"), &mut operation.operation_id) {
                *id = format!("{id}ByAgents");
            }
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

fn problem() -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    ResponseBuilder::new()
        .description("What happened, why, and what to do")
        .content("application/problem+json", content)
        .build()
}
