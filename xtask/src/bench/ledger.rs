//! Certified transfers, each signed and on disk, against PostgreSQL doing double entry with eight
//! clients; and what paying costs beside that.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::report::{Document, Machine, Rival, median};
use crate::place::Place;
use crate::run::{capture, check_interrupt, run, say, succeeds};

/// Transfers of one of our runs.
const TRANSFERS: u32 = 100_000;
/// Seconds of one of the rival's.
const SECONDS: u32 = 4;
const CLIENTS: u32 = 8;
const ACCOUNTS: u32 = 1000;

pub(super) fn ledger(place: &Place, runs: u32) -> Result<Vec<Document>> {
    let machine = Machine::read();
    let postgres = Postgres::start()?;
    let names = ["transfers_per_second", "vouchers_per_second", "payment_p50_us", "payment_p99_us", "balance_p99_us"];
    let mut ours: [Vec<f64>; 5] = Default::default();
    let mut theirs = Vec::new();
    for number in 1..=runs {
        check_interrupt()?;
        let folder = env::temp_dir().join(format!("p2p-ledger-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let printed = capture(place.ours("p2p-bench").arg("ledger").arg(&folder).arg(TRANSFERS.to_string()));
        fs::remove_dir_all(&folder)?;
        let printed: Value = serde_json::from_str(&printed?).context("p2p-bench prints JSON")?;
        for (name, values) in names.iter().zip(&mut ours) {
            values.push(printed[name].as_f64().with_context(|| format!("p2p-bench tells no {name}"))?);
        }
        theirs.push(postgres.measure()?);
        let (transfers, postgres) = (ours[0][ours[0].len() - 1], theirs[theirs.len() - 1]);
        say(format!("run {number}: ours {transfers:.0} transfers/s, PostgreSQL {postgres:.0} transfers/s"));
    }
    let [transfers, vouchers, p50, p99, balance] = ours;
    let rival = Rival { name: "PostgreSQL".to_owned(), version: postgres.version.clone(), value: median(&theirs) };
    let alone = |name, values: &[f64]| Document::new(name, &machine, values, Vec::new());
    Ok(vec![
        alone("ledger", &transfers),
        Document::new("ledger-sql", &machine, &transfers, vec![rival]),
        alone("vouchers", &vouchers),
        alone("payment-p50", &p50),
        alone("payment-p99", &p99),
        alone("balance", &balance),
    ])
}

/// A server of our own on a socket in a folder of our own.
struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    version: String,
}

impl Postgres {
    fn start() -> Result<Self> {
        let programs = programs().context("PostgreSQL is missing - `cargo xtask setup` installs it")?;
        let version = capture(Command::new(programs.join("postgres")).arg("--version"))?;
        let version = version.split_whitespace().find(|word| word.starts_with(|digit: char| digit.is_ascii_digit()));
        let version = version.unwrap_or("unknown").to_owned();
        let folder = env::temp_dir().join(format!("p2p-postgres-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let server = Self { folder, programs, version };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&server.folder), "giving PostgreSQL its folder")?;
        }
        say(format!("starting PostgreSQL {}", server.version));
        let mut initdb = server.program("initdb");
        initdb.arg("--pgdata").arg(server.data()).args(["--auth=trust", "--username=bench", "--no-sync"]);
        capture(&mut initdb)?;
        let options = format!("-c listen_addresses= -c unix_socket_directories={}", server.folder.display());
        let mut start = server.program("pg_ctl");
        start.arg("--pgdata").arg(server.data()).args(["--wait", "--silent", "--options", &options, "--log"]);
        run(start.arg(server.folder.join("log")).arg("start"), "starting PostgreSQL")?;
        let (schema, script) = (server.folder.join("schema.sql"), server.folder.join("transfer.sql"));
        fs::write(&schema, SCHEMA.replace("ACCOUNTS", &ACCOUNTS.to_string()))?;
        fs::write(&script, TRANSFER.replace("ACCOUNTS", &ACCOUNTS.to_string()))?;
        server.psql(&["--quiet", "--file", &schema.to_string_lossy()])?;
        Ok(server)
    }

    /// Transfers a second, with fsync as it comes.
    fn measure(&self) -> Result<f64> {
        let mut pgbench = self.program("pgbench");
        let (clients, seconds) = (CLIENTS.to_string(), SECONDS.to_string());
        pgbench.args([
            "--no-vacuum",
            "--client",
            &clients,
            "--jobs",
            "2",
            "--time",
            &seconds,
            "--protocol",
            "prepared",
        ]);
        pgbench.arg("--file").arg(self.folder.join("transfer.sql"));
        pgbench.arg("--host").arg(&self.folder).args(["--username", "bench", "postgres"]);
        let printed = capture(&mut pgbench)?;
        let speed =
            printed.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
        let sums = self.psql(&["--tuples-only", "--no-align", "--command", SUMS])?;
        if sums.trim() != "t" {
            bail!("PostgreSQL's sums are wrong: {sums}");
        }
        speed.with_context(|| format!("pgbench told no speed: {printed}"))
    }

    fn psql(&self, words: &[&str]) -> Result<String> {
        let mut psql = self.program("psql");
        psql.arg("--host").arg(&self.folder).args(["--username", "bench", "--set", "ON_ERROR_STOP=1"]);
        capture(psql.args(words).arg("postgres"))
    }

    /// PostgreSQL refuses to run as root, so its own user runs it then.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut runuser = Command::new("runuser");
            runuser.args(["-u", "postgres", "--"]).arg(program);
            runuser
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder);
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        stop.arg("--pgdata").arg(self.data()).args(["--silent", "--mode=immediate", "stop"]);
        succeeds(&mut stop);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Where Debian puts the newest server.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    found.retain(|folder| folder.join("postgres").exists());
    found.sort();
    found.pop()
}

fn is_root() -> bool {
    capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

const SCHEMA: &str = "
CREATE TABLE account (id integer PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0)) WITH (fillfactor = 50);
CREATE TABLE entry (transfer bigint NOT NULL, side text NOT NULL, account integer NOT NULL, amount bigint NOT NULL,
    PRIMARY KEY (transfer, side));
CREATE SEQUENCE transfer;
INSERT INTO account SELECT id, 1000000000 FROM generate_series(1, ACCOUNTS) AS id;
-- Both sides of one transfer, in the order of their ids so that no two wait for each other.
CREATE FUNCTION move(payer integer, payee integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE number bigint := nextval('transfer');
BEGIN
    UPDATE account SET balance = balance - 1 WHERE id = payer;
    UPDATE account SET balance = balance + 1 WHERE id = payee;
    INSERT INTO entry VALUES (number, 'debit', payer, 1), (number, 'credit', payee, 1);
END $$;
";

/// One call a transfer, prepared: the fastest way there is to ask for it.
const TRANSFER: &str = r"\set a random(1, ACCOUNTS - 1)
\set b random(:a + 1, ACCOUNTS)
SELECT move(:a::integer, :b::integer);
";

const SUMS: &str = "SELECT (SELECT sum(balance) FROM account) = (SELECT count(*) * 1000000000 FROM account)
    AND (SELECT count(*) FROM entry WHERE side = 'debit') = (SELECT count(*) FROM entry WHERE side = 'credit')";
