//! Ports of workspaces in browsers, on real hosts behind agents: who sees them, what reaches the programs there, and that
//! nobody gets another's.

use crate::bed::Bed;
use crate::program::{Ended, program};
use crate::raw;
use crate::wait::{PATIENCE, until, until_some};
use pierhead_devhosts::sample;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

const PASSWORD: &str = "correct horse battery";
/// A program that says what reached it: the head of a request, with the name of its workspace before it. What asks for a
/// WebSocket gets its own bytes back.
const SAYS: &str = r#"head= cr=$(printf '\r')
while IFS= read -r line; do
  line=${line%"$cr"}
  [ -z "$line" ] && break
  head="$head$line
"
done
case $head in
*'pgrade: websocket'*)
  printf 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  exec cat ;;
*)
  printf 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: theirs=1; Domain=localhost\r\nConnection: close\r\n\r\n'
  printf '%s\n%s' "$(cat /tmp/name)" "$head" ;;
esac
"#;
/// It answers on 8000, and something else on 9000 that only the container itself reaches.
const BEGINS: &str = "nc -ll -p 8000 -e /bin/sh /srv/says </dev/null >/dev/null 2>&1 &\n\
                      httpd -p 127.0.0.1:9000 -h /srv </dev/null >/dev/null 2>&1\n";

/// A browser: it keeps what it is given for each host, and calls whatever the name is at one address.
#[derive(Clone, Default)]
struct Browser {
    cookies: Vec<(String, String)>,
}

struct Page {
    status: u16,
    head: String,
    body: String,
}

impl Page {
    fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|it| it.1))
    }
}

/// Host and port of an address, and what follows.
fn parts(url: &str) -> (&str, u16, &str) {
    let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("{url}"));
    let (place, path) = rest.split_at(rest.find('/').unwrap());
    let (host, port) = place.split_once(':').unwrap();
    (host, port.parse().unwrap(), path)
}

fn call(port: u16) -> TcpStream {
    let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

impl Browser {
    fn head(&self, method: &str, url: &str, version: &str, more: &str) -> String {
        let (host, port, path) = parts(url);
        let own = self.cookies.iter().filter(|(of, _)| of == host).map(|(_, pair)| format!("; {pair}"));
        let cookies: String = own.collect();
        format!(
            "{method} {path} HTTP/{version}\r\nHost: {host}:{port}\r\nCookie: own=1; pierhead=a-secret{cookies}\r\n\
             X-Access-Token: admin:a-secret\r\n{more}"
        )
    }

    fn ask(&mut self, method: &str, url: &str, more: &str) -> Page {
        let (host, port, _) = parts(url);
        let mut stream = call(port);
        stream.write_all(format!("{}\r\n", self.head(method, url, "1.0", more)).as_bytes()).unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        let (head, body) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{url}: {all}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let page = Page { status, head: head.to_owned(), body: body.to_owned() };
        if let Some(cookie) = page.header("set-cookie") {
            assert!(!cookie.to_lowercase().contains("domain"), "{cookie}");
            self.cookies.push((host.to_owned(), cookie.split(';').next().unwrap().to_owned()));
        }
        page
    }

    fn get(&mut self, url: &str) -> Page {
        self.ask("GET", url, "")
    }

    /// Opens an address with a ticket: the clean one that it leads to, and what is there.
    fn open(&mut self, url: &str) -> (String, Page) {
        let sent = self.get(url);
        assert_eq!(sent.status, 303, "{}", sent.head);
        let clean = sent.header("location").unwrap().to_owned();
        let page = self.get(&clean);
        (clean, page)
    }

    /// Says something on a WebSocket and hears it back; the status if there is none.
    fn echo(&self, url: &str, said: &[u8]) -> Result<(), u16> {
        let mut stream = call(parts(url).1);
        let asks =
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n";
        stream.write_all(self.head("GET", url, "1.1", asks).as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let status = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap().parse().unwrap();
        if status != 101 {
            return Err(status);
        }
        stream.write_all(said).unwrap();
        let mut heard = vec![0; said.len()];
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(heard, said);
        Ok(())
    }
}

/// Somebody who is logged in.
struct Person<'a> {
    bed: &'a Bed,
    folder: PathBuf,
}

impl Person<'_> {
    fn run(&self, args: &[&str]) -> Ended {
        Ended::of(program().env("PIERHEAD_CONFIG_DIR", &self.folder).args(args))
    }

    fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(&[args, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended.json()
    }

    fn preview(&self, workspace: &str, port: &str) -> String {
        self.json(&["workspace", "preview", workspace, port])["url"].as_str().unwrap().to_owned()
    }
}

/// An account, logged in.
fn person<'a>(bed: &'a Bed, name: &str) -> Person<'a> {
    bed.ok(&["account", "add", name, "--password", PASSWORD]);
    let folder = bed.place.beside(&format!("login-{name}"));
    let mut login = program();
    login.args(["login", bed.text("url"), "-u", name, "--password-stdin"]).env("PIERHEAD_CONFIG_DIR", &folder);
    let ended = Ended::with_input(&mut login, &format!("{PASSWORD}\n"));
    assert_eq!(ended.code, 0, "{ended:?}");
    Person { bed, folder }
}

fn environment(bed: &Bed) {
    let description = json!({ "containers": [{
        "name": "main", "image": sample::IMAGE, "cpus": 0.2, "memory": 48, "ports": [8000, 8080],
        "command": ["/bin/sleep", "100000"], "startup": BEGINS,
        "files": [{ "path": "/srv/says", "content": SAYS, "mode": "0755" }],
    }] });
    let path = bed.place.beside("environment.json");
    std::fs::write(&path, description.to_string()).unwrap();
    bed.ok(&["environment", "create", "says", "--visibility", "shared", "-f", &path.display().to_string()]);
}

/// Opens a workspace that knows its own name.
fn workspace(who: &Person<'_>, name: &str) -> String {
    let opened = who.json(&["workspace", "open", "says", "--name", name]);
    let id = opened["id"].as_str().unwrap().to_owned();
    named(who, &id, name);
    id
}

fn named(who: &Person<'_>, id: &str, name: &str) {
    let script = format!("echo {name} > /tmp/name");
    let ended = who.run(&["workspace", "exec", id, "--", "sh", "-c", &script]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn ports_of_workspaces_are_seen_by_whom_they_are_for() {
    let bed = Bed::up_with(2, &["--agents"]);
    environment(&bed);
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| person(&bed, name));
    let (hers, his) = (workspace(&ann, "hers"), workspace(&bob, "his"));
    ports_are_found(&ann, &hers);
    let (mut browser, clean) = the_owner_sees_it(&ann, &hers);
    nothing_of_ours_arrives(&bed, &mut browser, &clean);
    guests_and_strangers(&ann, &eve, &hers, &clean);
    names_lead_to_nobody_else(&bob, &his, &mut browser, &clean);
    it_answers_under_the_same_name_elsewhere(&ann, &hers, &mut browser, &clean);
    an_end_of_the_session_is_the_end(&ann, &mut browser, &clean);
}

fn ports_are_found(ann: &Person<'_>, hers: &str) {
    let (ports, _) = until_some("both programs listen", PATIENCE, || {
        let ports = ann.json(&["workspace", "ports", hers]);
        let listen = ports.as_array().unwrap().iter().filter(|port| port["listening"] == true).count();
        (listen == 2).then_some(ports)
    });
    let port = |number: u16, declared: bool, listening: bool, only_inside: bool| json!({ "port": number, "container": "main", "declared": declared, "listening": listening, "only_inside": only_inside });
    let expected = [port(8000, true, true, false), port(8080, true, false, false), port(9000, false, true, true)];
    assert_eq!(ports.as_array().unwrap(), &expected);
}

fn the_owner_sees_it(ann: &Person<'_>, hers: &str) -> (Browser, String) {
    let url = ann.preview(hers, "8000");
    let (host, _, _) = parts(&url);
    assert_eq!(host, format!("8000-{hers}.localhost"));
    let mut browser = Browser::default();
    let (clean, page) = browser.open(&url);
    assert!(!clean.contains("ticket"), "{clean}");
    assert_eq!((page.status, page.body.lines().next()), (200, Some("hers")), "{}", page.head);
    // The address is worth nothing to whoever finds it, and does no harm to who has used it.
    assert_eq!(Browser::default().get(&url).status, 401);
    assert_eq!(browser.get(&url).status, 303);
    browser.echo(&clean, b"\x81\x85abcdhello, and back").unwrap();
    for (port, words) in [("8080", "Nothing answers on port 8080"), ("9000", "listens on 127.0.0.1")] {
        let page = browser.open(&ann.preview(hers, port)).1;
        assert!(page.status == 502 && page.body.contains(words), "{port}: {}", page.body);
    }
    (browser, clean)
}

fn nothing_of_ours_arrives(bed: &Bed, browser: &mut Browser, clean: &str) {
    let more = format!("Authorization: Bearer {}\r\nX-Forwarded-For: 6.6.6.6\r\n", bed.text("token"));
    let page = browser.ask("GET", clean, &more);
    assert_eq!(page.status, 200);
    let seen = page.body.to_lowercase();
    assert!(seen.contains("cookie: own=1") && seen.contains("x-forwarded-for: 127.0.0.1"), "{seen}");
    for gone in ["a-secret", "pierhead", "authorization", "x-access-token", "6.6.6.6"] {
        assert!(!seen.contains(gone), "{gone}: {seen}");
    }
    // Tokens of others are the program's own business.
    let page = browser.ask("GET", clean, "Authorization: Bearer theirs\r\n");
    assert!(page.body.to_lowercase().contains("authorization: bearer theirs"), "{}", page.body);
}

fn guests_and_strangers(ann: &Person<'_>, eve: &Person<'_>, hers: &str, clean: &str) {
    let mut nobody = Browser::default();
    assert_eq!((nobody.get(clean).status, nobody.echo(clean, b"x")), (401, Err(401)));
    let refused = eve.run(&["workspace", "preview", hers, "8000"]);
    assert!(refused.code != 0 && refused.stderr.contains("workspace"), "{refused:?}");
    assert_eq!(ann.run(&["workspace", "share", hers, "eve"]).code, 0);
    let mut hers_too = Browser::default();
    let (_, page) = hers_too.open(&eve.preview(hers, "8000"));
    assert_eq!((page.status, page.body.lines().next()), (200, Some("hers")));
    assert_eq!((hers_too.ask("POST", clean, "").status, hers_too.echo(clean, b"x")), (403, Err(403)), "a viewer looks");
    assert_eq!(ann.run(&["workspace", "share", hers, "eve", "--as", "driver"]).code, 0);
    until("a driver may do more", PATIENCE, || hers_too.echo(clean, b"x").is_ok());
    assert_eq!(ann.run(&["workspace", "unshare", hers, "eve"]).code, 0);
    until("a guest no more", PATIENCE, || hers_too.get(clean).status == 404);
}

fn names_lead_to_nobody_else(bob: &Person<'_>, his: &str, hers: &mut Browser, clean: &str) {
    let mut browser = Browser::default();
    let (his_clean, page) = browser.open(&bob.preview(his, "8000"));
    assert_eq!(page.body.lines().next(), Some("his"));
    assert_eq!(browser.get(clean).status, 401, "each host name has a session of its own");
    // A session that is carried to another name is none there.
    let session = browser.cookies[0].1.clone();
    browser.cookies.push((parts(clean).0.to_owned(), session));
    assert_eq!(browser.get(clean).status, 401);
    // Nor may a page of one workspace use another's.
    let origin = his_clean.trim_end_matches('/');
    assert_eq!(hers.ask("POST", clean, &format!("Origin: {origin}\r\n")).status, 403);
    let (_, port, _) = parts(clean);
    for name in ["8000-169.254.169.254", "8000-aaaaaaaaaa", "127.0.0.1", "localhost", "0-x"] {
        let status = hers.get(&format!("http://{name}.localhost:{port}/")).status;
        assert!([401, 404].contains(&status), "{name}: {status}");
    }
}

/// Its host is drained: it is saved, and goes on elsewhere.
fn it_answers_under_the_same_name_elsewhere(ann: &Person<'_>, hers: &str, browser: &mut Browser, clean: &str) {
    let place = || ann.json(&["workspace", "show", hers])["engine"].as_str().map(str::to_owned);
    let before = place().unwrap();
    ann.bed.ok(&["engine", "cordon", &before]);
    assert_eq!(ann.run(&["workspace", "stop", hers]).code, 0);
    let page = browser.get(clean);
    assert!(page.status == 503 && page.body.contains("does not run"), "{} {}", page.status, page.body);
    let started = ann.run(&["workspace", "start", hers]);
    assert_eq!(started.code, 0, "{started:?}");
    assert_ne!(place(), Some(before.clone()));
    let (page, _) = until_some("it answers", PATIENCE, || Some(browser.get(clean)).filter(|page| page.status == 200));
    assert_eq!(page.body.lines().next(), Some("hers"), "its own files came along");
    ann.bed.ok(&["engine", "uncordon", &before]);
    // What another container answers at its former address is nobody's business.
    let running = raw::list(ann.bed.host(&before));
    assert!(!running.iter().any(|it| it.labels.get("pierhead.workspace").is_some_and(|of| of == hers)), "{running:?}");
}

fn an_end_of_the_session_is_the_end(ann: &Person<'_>, browser: &mut Browser, clean: &str) {
    let mut socket = call(parts(clean).1);
    let asks = "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    socket.write_all(browser.head("GET", clean, "1.1", asks).as_bytes()).unwrap();
    let mut status = [0; 12];
    socket.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 101");
    ann.bed.ok(&["account", "rm", "ann", "--yes"]);
    let mut rest = Vec::new();
    // Closed or cut is all the same.
    let _ended = socket.read_to_end(&mut rest);
    until("nobody is let in any more", PATIENCE, || browser.get(clean).status == 401);
}
