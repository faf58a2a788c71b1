//! `/metrics`: who may read it, that Prometheus can, and that it names nobody.

use crate::raw::{Sender, sample};
use pierhead_testkit::{Cluster, ClusterOptions};
use std::collections::{BTreeMap, BTreeSet};

async fn cluster() -> Cluster {
    Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await
}

fn scraper(cluster: &Cluster) -> Sender {
    Sender::nobody(cluster).token(cluster.scrape_token())
}

/// A page as its readers understand it: each sample's name with its labels, and its value.
type Samples = BTreeMap<String, f64>;

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == ':')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':')
}

type Labels = Vec<(String, String)>;

/// The labels of a sample, and what follows them.
fn labels(mut rest: &str) -> Result<(Labels, &str), String> {
    let mut labels = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("a label has no value")?;
        if !is_name(name) || name.contains(':') {
            return Err(format!("{name:?} is no label"));
        }
        let (mut value, mut letters) = (String::new(), after.char_indices());
        let end = loop {
            match letters.next().ok_or("a value has no end")? {
                (at, '"') => break at,
                (_, '\\') => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, letter @ ('\\' | '"'))) => value.push(letter),
                    other => return Err(format!("{other:?} after a backslash")),
                },
                (_, letter) => value.push(letter),
            }
        };
        labels.push((name.to_owned(), value));
        match after[end + 1..].strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok((labels, after[end + 1..].strip_prefix('}').ok_or("no brace")?)),
        }
    }
}

/// Reads a page as strictly as the format is defined.
fn parse(page: &str) -> Result<Samples, String> {
    let (mut samples, mut families) = (Samples::new(), BTreeSet::new());
    let (mut family, mut kind) = (String::new(), String::new());
    if !page.ends_with('\n') {
        return Err("the last line has no end".to_owned());
    }
    for line in page.lines() {
        let wrong = |why: &str| format!("{why}: {line}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap_or_default().to_owned();
            if !is_name(&family) || !families.insert(family.clone()) {
                return Err(wrong("no new name"));
            }
        } else if let Some(told) = line.strip_prefix("# TYPE ") {
            kind = told.strip_prefix(&format!("{family} ")).ok_or_else(|| wrong("another family"))?.to_owned();
            if !["counter", "gauge", "histogram"].contains(&kind.as_str()) {
                return Err(wrong("no such kind"));
            }
        } else {
            let at = line.find(['{', ' ']).ok_or_else(|| wrong("no value"))?;
            let suffix = line[..at].strip_prefix(family.as_str()).ok_or_else(|| wrong("another family"))?;
            let fits = match kind.as_str() {
                "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
                _ => suffix.is_empty() && (kind != "counter" || family.ends_with("_total")),
            };
            let (labels, value) = match line[at..].strip_prefix('{') {
                Some(rest) => labels(rest).map_err(|why| wrong(&why))?,
                None => (vec![], &line[at..]),
            };
            let distinct: BTreeSet<_> = labels.iter().map(|(name, _)| name).collect();
            let value: f64 =
                value.strip_prefix(' ').and_then(|text| text.parse().ok()).ok_or_else(|| wrong("no number"))?;
            let key = line[..line.rfind(' ').unwrap()].to_owned();
            if !fits || distinct.len() != labels.len() || !value.is_finite() || samples.insert(key, value).is_some() {
                return Err(wrong("no proper sample"));
            }
        }
    }
    Ok(samples)
}

#[test]
fn the_reader_is_strict() {
    let head = "# HELP a_total A.\n# TYPE a_total counter\n";
    assert_eq!(parse(&format!("{head}a_total{{x=\"\\\"\\n\"}} 1\n")).unwrap().len(), 1);
    for bad in [
        "a_total 1",
        "b_total 1\n",
        "a_total x\n",
        "a_total{x=\"1\" 1\n",
        "a_total 1\na_total 2\n",
        "a_total{x=\"\\q\"} 1\n",
    ] {
        assert!(parse(&format!("{head}{bad}")).is_err(), "{bad}");
    }
    assert!(parse("# HELP a A.\n# TYPE a counter\na 1\n").is_err(), "a counter ends with _total");
}

#[tokio::test]
async fn only_its_token_reads_it_and_that_reads_nothing_else() {
    let cluster = cluster().await;
    assert_eq!(scraper(&cluster).get("/metrics").await.status, 200);
    for sender in [Sender::nobody(&cluster), Sender::admin(&cluster), Sender::user(&cluster, "ann").await] {
        assert_eq!(sender.get("/metrics").await.refusal().code, "unauthenticated");
    }
    for (method, path) in [
        ("GET", "/api/containers"),
        ("GET", "/api/engines"),
        ("GET", "/api/cluster/info"),
        ("GET", "/api/tokens"),
        ("POST", "/api/containers"),
        ("POST", "/account/passwdchange"),
        ("POST", "/metrics"),
    ] {
        let answer = scraper(&cluster).send(method, path, sample()).await;
        assert!(matches!(answer.status, 401 | 405), "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn it_tells_what_there_is_and_names_nobody() {
    let cluster = cluster().await;
    let admin = Sender::admin(&cluster);
    let containers = cluster.run("canaryapp", 3, &pierhead_testkit::sample()).await;
    let ann = Sender::user(&cluster, "canaryann").await;
    assert_eq!(ann.get("/api/containers").await.status, 200);
    let wrong = r#"{"username":"canarynobody","password":"not it at all"}"#;
    assert_eq!(Sender::nobody(&cluster).post("/auth/login", wrong).await.status, 401);
    assert_eq!(admin.get(&format!("/api/containers/{}", containers[0].id)).await.status, 200);
    assert_eq!(admin.get("/no/such/canarypath").await.status, 404);
    assert_eq!(admin.send("PATCH", "/api/containers", "").await.status, 405);
    let page = scraper(&cluster).get("/metrics").await.text;
    let samples = parse(&page).unwrap_or_else(|why| panic!("{why}\n{page}"));
    for (name, least) in [
        ("pierhead_build_info{version=\"test\"}", 1.0),
        ("pierhead_engines{health=\"healthy\"}", 2.0),
        ("pierhead_engine_up{engine=\"host-1\"}", 1.0),
        ("pierhead_containers{made_by=\"pierhead\",state=\"running\"}", 3.0),
        ("pierhead_apps", 1.0),
        ("pierhead_replicas_wanted", 3.0),
        ("pierhead_replicas_running", 3.0),
        ("pierhead_operations{state=\"running\"}", 0.0),
        ("pierhead_operation_oldest_age_seconds", 0.0),
        ("pierhead_probe_duration_seconds_count", 2.0),
        ("pierhead_plan_duration_seconds_count", 1.0),
        ("pierhead_store_commit_duration_seconds_count", 3.0),
        ("pierhead_store_commits_refused_total{reason=\"failed\"}", 0.0),
        ("pierhead_log_readers_open", 0.0),
        ("pierhead_event_streams_open", 0.0),
        ("pierhead_log_ins_total{result=\"succeeded\"}", 2.0),
        ("pierhead_log_ins_total{result=\"wrong\"}", 1.0),
        ("pierhead_http_requests_total{route=\"/api/containers/{id}\",method=\"GET\",status=\"2xx\"}", 1.0),
        ("pierhead_http_requests_total{route=\"none\",method=\"GET\",status=\"4xx\"}", 1.0),
        ("pierhead_http_request_duration_seconds_count{route=\"/api/containers\",method=\"POST\"}", 1.0),
        ("process_resident_memory_bytes", 1e6),
        ("process_open_fds", 5.0),
        ("process_cpu_seconds_total", 0.001),
        ("pierhead_tasks", 5.0),
    ] {
        let value = samples.get(name).unwrap_or_else(|| panic!("no {name} in\n{page}"));
        assert!(*value >= least, "{name} {value}");
    }
    assert!(!page.contains("canary") && !page.contains(&containers[0].id[..12]), "{page}");
}

#[tokio::test]
async fn the_buckets_of_a_histogram_add_up() {
    let cluster = cluster().await;
    let samples = parse(&scraper(&cluster).get("/metrics").await.text).unwrap();
    let of = |bound: &str| samples[&format!("pierhead_store_commit_duration_seconds_bucket{{le=\"{bound}\"}}")];
    let counts: Vec<f64> = ["0.0001", "0.001", "0.01", "0.1", "1", "+Inf"].map(of).to_vec();
    assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]), "{counts:?}");
    assert_eq!(of("+Inf"), samples["pierhead_store_commit_duration_seconds_count"]);
    assert!(samples["pierhead_store_commit_duration_seconds_sum"] > 0.0);
}
