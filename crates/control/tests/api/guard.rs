use std::net::SocketAddr;

use p2p_control::api::ErrorCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::engine::Node;
use crate::wire::{Answer, exchange};

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

async fn send(door: SocketAddr, head: &[&str], body: &str) -> Answer {
    let stream = TcpStream::connect(door).await.expect("the door is open");
    let port = door.port().to_string();
    let head: Vec<_> = head.iter().map(|line| line.replace("PORT", &port).replace("TOKEN", TOKEN)).collect();
    exchange(stream, &head, body.as_bytes()).await
}

async fn open(node: &Node) -> SocketAddr {
    let (door, _) = node.server.serve_loopback(0, TOKEN.to_owned()).await.expect("a free port");
    assert!(door.ip().is_loopback());
    door
}

/// The cookie that a browser has after its first visit.
async fn cookie(door: SocketAddr) -> String {
    let welcome = send(door, &["GET /?token=TOKEN HTTP/1.1", "Host: 127.0.0.1:PORT"], "").await;
    assert_eq!((welcome.status, welcome.header("location")), (303, "/"));
    let cookie = welcome.header("set-cookie").to_owned();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(TOKEN), "the token itself stays out of it");
    cookie.split(';').next().expect("a pair").to_owned()
}

#[tokio::test]
async fn only_our_own_host_and_origin_with_the_token_enter() {
    let node = Node::start();
    let door = open(&node).await;
    const STATUS: &str = "GET /api/v1/status HTTP/1.1";
    const HOST: &str = "Host: 127.0.0.1:PORT";
    const BEARER: &str = "Authorization: Bearer TOKEN";
    let cases: &[(u16, &[&str])] = &[
        // Right, in each of its forms.
        (200, &[STATUS, HOST, BEARER]),
        (200, &[STATUS, "Host: localhost:PORT", BEARER]),
        (200, &[STATUS, HOST, "authorization: bearer TOKEN"]),
        (200, &[STATUS, HOST, BEARER, "Origin: http://127.0.0.1:PORT"]),
        (200, &[STATUS, "Host: localhost:PORT", BEARER, "Origin: http://localhost:PORT"]),
        (200, &["GET http://127.0.0.1:PORT/api/v1/status HTTP/1.1", HOST, BEARER]),
        (200, &["GET /health HTTP/1.1", HOST]),
        // No token, or a wrong one.
        (401, &[STATUS, HOST]),
        (401, &["GET / HTTP/1.1", HOST]),
        (401, &["GET /metrics HTTP/1.1", HOST]),
        (401, &["GET /nowhere HTTP/1.1", HOST]),
        (401, &[STATUS, HOST, "Authorization: Bearer "]),
        (401, &[STATUS, HOST, "Authorization: TOKEN"]),
        (401, &[STATUS, HOST, "Authorization: Basic TOKEN"]),
        (401, &[STATUS, HOST, "Authorization: Bearer TOKEN0"]),
        (401, &[STATUS, HOST, "Authorization: Bearer 0123456789abcdef"]),
        (401, &[STATUS, HOST, BEARER, "Authorization: Bearer other"]),
        (401, &["GET /?token=wrong HTTP/1.1", HOST]),
        // The token in an address is for the first page alone.
        (401, &["GET /api/v1/status?token=TOKEN HTTP/1.1", HOST]),
        (401, &["POST /?token=TOKEN HTTP/1.1", HOST]),
        // A name that was made to point here (DNS rebinding), or none.
        (403, &[STATUS, "Host: evil.example:PORT", BEARER]),
        (403, &[STATUS, "Host: 127.0.0.1", BEARER]),
        (403, &[STATUS, "Host: 127.0.0.1:1", BEARER]),
        (403, &[STATUS, "Host: 127.0.0.1:PORT.evil.example", BEARER]),
        (403, &[STATUS, "Host: [::1]:PORT", BEARER]),
        (403, &[STATUS, BEARER]),
        (403, &[STATUS, HOST, "Host: evil.example", BEARER]),
        (403, &["GET http://evil.example/api/v1/status HTTP/1.1", HOST, BEARER]),
        (403, &["GET /health HTTP/1.1", "Host: evil.example:PORT"]),
        (403, &["GET /?token=TOKEN HTTP/1.1", "Host: evil.example:PORT"]),
        // Another page in the same browser.
        (403, &[STATUS, HOST, BEARER, "Origin: http://evil.example"]),
        (403, &[STATUS, HOST, BEARER, "Origin: https://127.0.0.1:PORT"]),
        (403, &[STATUS, HOST, BEARER, "Origin: http://127.0.0.1:1"]),
        (403, &[STATUS, HOST, BEARER, "Origin: http://localhost:PORT"]),
        (403, &[STATUS, HOST, BEARER, "Origin: null"]),
        (403, &[STATUS, HOST, BEARER, "Origin: http://127.0.0.1:PORT", "Origin: http://evil.example"]),
        (
            403,
            &[
                "OPTIONS /api/v1/status HTTP/1.1",
                HOST,
                "Origin: http://evil.example",
                "Access-Control-Request-Method: GET",
            ],
        ),
    ];
    for (expected, head) in cases {
        let before = node.asked().len();
        let answer = send(door, head, "").await;
        assert_eq!(answer.status, *expected, "{head:?}: {}", answer.text());
        assert!(!answer.headers.keys().any(|name| name.starts_with("access-control")), "no CORS: {answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        match expected {
            200 => assert_eq!(node.asked().len(), before + 1, "{head:?}"),
            401 => assert_eq!(answer.problem().code, ErrorCode::Unauthorized),
            _ => assert_eq!(answer.problem().code, ErrorCode::ForbiddenOrigin),
        }
        if *expected != 200 {
            assert_eq!(node.asked().len(), before, "the engine hears nothing of {head:?}");
            assert!(!answer.text().contains(TOKEN) && !answer.headers.contains_key("set-cookie"), "{answer:?}");
        }
        assert_eq!(answer.headers.contains_key("www-authenticate"), *expected == 401);
    }
}

#[tokio::test]
async fn the_cookie_lets_the_dashboard_in_and_no_other_page() {
    let node = Node::start();
    let door = open(&node).await;
    let cookie = format!("Cookie: theme=dark; {}", cookie(door).await);
    const HOST: &str = "Host: 127.0.0.1:PORT";
    const RESUME: &str = "POST /api/v1/node/resume HTTP/1.1";
    let wrong = format!("{}0", &cookie[..cookie.len() - 1]);
    let cases: &[(u16, &[&str])] = &[
        (200, &["GET / HTTP/1.1", HOST, &cookie]),
        (200, &["GET /api/v1/status HTTP/1.1", HOST, &cookie]),
        (200, &[RESUME, HOST, &cookie, "Origin: http://127.0.0.1:PORT"]),
        (403, &[RESUME, HOST, &cookie]),
        (403, &[RESUME, HOST, &cookie, "Origin: http://127.0.0.1:1"]),
        (403, &["GET / HTTP/1.1", "Host: evil.example:PORT", &cookie]),
        (401, &["GET / HTTP/1.1", HOST, &wrong]),
        (401, &["GET / HTTP/1.1", HOST, "Cookie: p2p-agent-PORT=TOKEN"]),
        (401, &["GET /api/v1/status HTTP/1.1", HOST, &cookie, "Authorization: Bearer wrong"]),
    ];
    for (expected, head) in cases {
        let answer = send(door, head, "").await;
        assert_eq!(answer.status, *expected, "{head:?}: {}", answer.text());
    }
    let other = node.server.serve_loopback(0, "another token".to_owned()).await.expect("a free port").0;
    assert_eq!(send(other, &["GET / HTTP/1.1", HOST, &cookie], "").await.status, 401, "each token has its own cookie");
}

#[tokio::test]
async fn the_dashboard_is_files_under_a_strict_policy() {
    let node = Node::with_ui(|folder| {
        let ui = folder.join("ui");
        std::fs::create_dir_all(ui.join("assets")).expect("made");
        std::fs::write(ui.join("index.html"), "<!doctype html>the page").expect("written");
        std::fs::write(ui.join("assets/app-1a2b.js"), "run()").expect("written");
        std::fs::write(folder.join("secret"), "secret").expect("written");
        Some(ui)
    });
    let door = open(&node).await;
    let get = |path: &str| {
        let line = format!("GET {path} HTTP/1.1");
        async move { send(door, &[&line, "Host: 127.0.0.1:PORT", "Authorization: Bearer TOKEN"], "").await }
    };
    let index = get("/").await;
    assert_eq!((index.status, index.text().as_str()), (200, "<!doctype html>the page"));
    assert_eq!((index.header("content-type"), index.header("cache-control")), ("text/html", "no-store"));
    let policy = index.header("content-security-policy");
    for rule in
        ["default-src 'self'", "script-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]
    {
        assert!(policy.split("; ").any(|part| part == rule), "{rule} is not in {policy}");
    }
    assert!(!policy.contains("unsafe"));
    let script = get("/assets/app-1a2b.js").await;
    assert_eq!((script.status, script.header("content-type")), (200, "text/javascript"));
    assert!(script.header("cache-control").contains("immutable"));

    for path in ["/assets/gone.js", "/../secret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret", "/api/v1/nowhere"] {
        let answer = get(path).await;
        assert_eq!((answer.status, answer.problem().code), (404, ErrorCode::NotFound), "{path}");
        assert!(!answer.header("cache-control").contains("immutable"), "{path}");
    }
    assert_eq!(get("/api/v1/status").await.status, 200);
}

#[tokio::test]
async fn a_dashboard_that_is_not_built_says_how_to_build_it() {
    let node = Node::with_ui(|folder| Some(folder.join("nowhere")));
    let page =
        send(open(&node).await, &["GET / HTTP/1.1", "Host: 127.0.0.1:PORT", "Authorization: Bearer TOKEN"], "").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("cargo xtask demo"), "{}", page.text());
    assert!(page.header("content-security-policy").contains("default-src 'self'"));
}

#[tokio::test]
async fn the_door_for_figures_answers_nothing_else() {
    let node = Node::start();
    let (door, _) = node.server.serve_metrics(0).await.expect("a free port");
    let get = |path: &str, host: &str| {
        let (line, host) = (format!("GET {path} HTTP/1.1"), format!("Host: {host}"));
        async move { send(door, &[&line, &host], "").await }
    };
    let figures = get("/metrics", "127.0.0.1:PORT").await;
    assert_eq!((figures.status, figures.text().as_str()), (200, "p2p_peers 1\n"));
    assert_eq!(figures.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(get("/health", "localhost:PORT").await.status, 200);
    for path in ["/", "/api/v1/status", "/api/v1/openapi.json", "/api/v1/logs"] {
        assert_eq!(get(path, "127.0.0.1:PORT").await.problem().code, ErrorCode::NotFound, "{path}");
    }
    assert_eq!(get("/metrics", "evil.example:PORT").await.problem().code, ErrorCode::ForbiddenOrigin);

    let taken = node.server.serve_metrics(door.port()).await.expect_err("the port is taken");
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
}

/// Otherwise whoever queues up requests and reads no answer would keep a place.
#[tokio::test]
async fn without_the_token_a_connection_has_one_answer() {
    let node = Node::start();
    let door = open(&node).await;
    for (path, status) in [("/nowhere", "401"), ("/health", "200")] {
        let mut stream = TcpStream::connect(door).await.expect("the door is open");
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", door.port());
        stream.write_all(request.repeat(3).as_bytes()).await.expect("it is taken");
        let mut answers = Vec::new();
        // A reset after the answer says as well that the connection is over.
        let _ = stream.read_to_end(&mut answers).await;
        let answers = String::from_utf8_lossy(&answers);
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
        assert!(answers.starts_with(&format!("HTTP/1.1 {status}")), "{answers}");
    }
}
