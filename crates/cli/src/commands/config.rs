//! `config`: the settings, through the daemon where one runs, so that it hears of changes.

use p2p_control::api::{ConfigEntry, ConfigValue, ErrorCode, Problem};
use p2p_platform::Home;
use serde_json::{Value, json};

use crate::args::ConfigCommand;
use crate::context::Context;
use crate::output::Table;
use crate::problem::Exit;

pub(super) async fn run(context: &Context, command: ConfigCommand) -> Result<Exit, Problem> {
    let home = context.home()?;
    match command {
        ConfigCommand::Get { key: Some(key) } => get(context, &home, &key).await,
        ConfigCommand::Get { key: None } | ConfigCommand::List => list(context, &home).await,
        ConfigCommand::Set { key, value } => set(context, &home, key, &value).await,
        ConfigCommand::Validate => validate(context, &home),
        ConfigCommand::Path => {
            path(context, &home);
            Ok(Exit::Fine)
        }
    }
}

/// What the running daemon uses, unless a file was named: then what that file says.
async fn entries(context: &Context, home: &Home) -> Result<Vec<ConfigEntry>, Problem> {
    if context.config().is_none()
        && let Some(client) = context.daemon_if_running(home).await?
    {
        return client.config().await;
    }
    p2p_agent::config::entries(home, context.config())
}

async fn get(context: &Context, home: &Home, key: &str) -> Result<Exit, Problem> {
    let entries = entries(context, home).await?;
    let entry = entries.iter().find(|entry| entry.key == key).ok_or_else(|| {
        let problem = Problem::new(ErrorCode::Config, format!("there is no setting {key:?}"));
        problem.with_hint("See `p2p-agent config list`")
    })?;
    context.out.reply(entry, |page| page.line(&shown(&entry.value)));
    Ok(Exit::Fine)
}

async fn list(context: &Context, home: &Home) -> Result<Exit, Problem> {
    let entries = entries(context, home).await?;
    context.out.reply(&entries, |page| {
        let mut table = Table::new(&["SETTING", "VALUE", "FROM", "WHAT IT IS"]);
        for entry in &entries {
            table.row(vec![
                entry.key.as_str().into(),
                shown(&entry.value).into(),
                entry.source.as_str().into(),
                entry.help.as_str().into(),
            ]);
        }
        page.table(&table);
    });
    Ok(Exit::Fine)
}

async fn set(context: &Context, home: &Home, key: String, value: &str) -> Result<Exit, Problem> {
    if let Some(path) = context.config() {
        let problem = Problem::new(ErrorCode::Usage, format!("{} is yours to edit", path.display()));
        return Err(problem.with_hint("Leave --config out to change the node's own settings"));
    }
    let value = p2p_agent::config::typed(value);
    let running = context.daemon_if_running(home).await?;
    let entry = match &running {
        Some(client) => client.set_config(&key, &ConfigValue { value }).await?,
        None => p2p_agent::config::set(home, &key, value)?,
    };
    context.out.reply(&entry, |page| page.line(&format!("{} is {} now.", entry.key, shown(&entry.value))));
    if running.is_some() && entry.needs_restart {
        context.out.note("It counts from the next start on: `p2p-agent restart`");
    }
    Ok(Exit::Fine)
}

fn validate(context: &Context, home: &Home) -> Result<Exit, Problem> {
    let warnings = p2p_agent::config::validate(home, context.config())?;
    let document = json!({ "valid": true, "file": used(context, home), "warnings": warnings });
    context.out.reply(&document, |page| page.line("The settings are sound."));
    for warning in &warnings {
        context.out.warn(warning);
    }
    Ok(Exit::Fine)
}

fn path(context: &Context, home: &Home) {
    let search = p2p_agent::config::search_path(home, context.config());
    let files: Vec<_> = search.iter().map(|(path, there)| json!({ "path": path, "exists": there })).collect();
    let used = used(context, home);
    context.out.reply(&json!({ "used": used, "search": files }), |page| {
        page.line(used.as_deref().unwrap_or("No settings file is there: the defaults count."));
    });
    let said: Vec<_> = search
        .iter()
        .map(|(path, there)| format!("{} ({})", path.display(), if *there { "there" } else { "not there" }))
        .collect();
    context.out.note(&format!("Read in this order, the later wins: {}", said.join(", ")));
}

/// The settings file of this node, where there is one.
fn used(context: &Context, home: &Home) -> Option<String> {
    let own = home.config_file();
    let path = context.config().unwrap_or(&own);
    path.exists().then(|| path.display().to_string())
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_as_they_are() {
        assert_eq!(shown(&json!("debug")), "debug");
        assert_eq!(shown(&json!([1, 2])), "[1,2]");
    }
}
