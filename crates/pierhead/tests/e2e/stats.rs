//! What real hosts and containers use, as the program tells it and as the engines do.

use pierhead_client::StatsQuery;
use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::sample;
use serde_json::Value;

use crate::api::Api;
use crate::bed::Bed;
use crate::wait::{PATIENCE, until, until_right, until_some};

const BUSY: [&str; 3] =
    ["sh", "-c", "head -c 12000000 /dev/zero | tail -c 8000000 > /dev/shm/kept; while :; do :; done"];

/// A container's figures in what `top` prints, as a program reads it.
fn of(stats: &Value, name: &str) -> Option<Value> {
    stats["containers"].as_array().unwrap().iter().find(|container| container["name"] == name).cloned()
}

/// The figures of an engine itself, in the way of its own command: two readings a second apart.
fn by_the_engine(docker_host: &str, id: &str) -> (f64, u64) {
    let path = format!("/containers/{id}/stats?stream=false");
    let answer = request(docker_host, "GET", &path, Body::Empty, PATIENCE).unwrap();
    let stats: Value = serde_json::from_slice(&answer.body).unwrap();
    let number = |path: &str| stats.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let spent = number("/cpu_stats/cpu_usage/total_usage") - number("/precpu_stats/cpu_usage/total_usage");
    let passed = number("/cpu_stats/system_cpu_usage") - number("/precpu_stats/system_cpu_usage");
    let cores = number("/cpu_stats/online_cpus") as f64;
    let cache = number("/memory_stats/stats/total_inactive_file").max(number("/memory_stats/stats/inactive_file"));
    (spent as f64 / passed as f64 * cores, number("/memory_stats/usage") - cache)
}

#[test]
fn what_is_told_is_what_the_engines_say() {
    let bed = Bed::up_with(2, &["--agents"]);
    let run = ["run", sample::IMAGE, "--app", "busy", "--label", "host:host-1"];
    let limits = ["--cpus", "0.3", "--memory", "64", "--"];
    bed.ok(&[&run[..], &limits[..], &BUSY[..]].concat());
    bed.ok(&["run", sample::IMAGE, "--app", "idle", "--label", "host:host-2", "--memory", "32"]);
    let top = || bed.json(&["top", "--once"]);
    let host = |stats: &Value, id: &str| {
        stats["engines"].as_array().unwrap().iter().find(|engine| engine["id"] == id).cloned()
    };

    let (busy, _) = until_some("both are read, and hosts tell of themselves", PATIENCE, || {
        let stats = top();
        let hosts = ["host-1", "host-2"].map(|id| host(&stats, id).filter(|host| host["measured"] == "host"));
        let idle = of(&stats, "idle.0.1").filter(|idle| idle["memory_limit"] == 32 << 20);
        let is_told = idle.is_some_and(|idle| idle["cpu_cores"].as_f64().unwrap() < 0.05);
        let busy = of(&stats, "busy.0.1").filter(|busy| busy["cpu_cores"].as_f64().unwrap() > 0.2);
        busy.filter(|_| is_told && hosts.iter().all(Option::is_some))
    });
    let id = busy["id"].as_str().unwrap().to_owned();
    let mut told = (0.0, 0);
    // No second is like the other.
    let agrees = until_right(PATIENCE, || {
        let (cores, memory) = by_the_engine(bed.host("host-1").docker_host(), &id);
        let Some(busy) = of(&top(), "busy.0.1") else { return Err("it is not told".to_owned()) };
        told = (busy["cpu_cores"].as_f64().unwrap(), busy["memory_bytes"].as_u64().unwrap());
        let is_same_cpu = (cores - told.0).abs() < 0.1 && told.0 < 0.4;
        // What it keeps in its own memory file system is its own, and no cache that could be given back.
        let is_same_memory = memory.abs_diff(told.1) < 2 << 20 && told.1 > 7 << 20;
        let words = || format!("{cores} cores and {memory} bytes by the engine, {told:?}");
        if is_same_cpu && is_same_memory { Ok(()) } else { Err(words()) }
    });
    agrees.unwrap();
    let whole = host(&top(), "host-1").unwrap();
    assert!(whole["memory_bytes"].as_u64().unwrap() > told.1 && whole["cpu_total"].as_f64().unwrap() >= 1.0, "{whole}");

    // A host whose engine hangs leaves a gap, and nothing else.
    let api = Api::new(bed.text("url"), Some(bed.text("token")));
    let of_host = StatsQuery::Engine("host-1".to_owned());
    let history = api.wait(api.client.stats_history(&of_host, None)).unwrap().into_value();
    assert!(history.series[0].points.len() > 2, "by the second, since its agent tells: {history:?}");
    bed.host("host-1").hang_engine().unwrap();
    until("it is not told any more, and the other one is", PATIENCE, || {
        let stats = top();
        of(&stats, "busy.0.1").is_none() && of(&stats, "idle.0.1").is_some()
    });
    bed.host("host-1").resume_engine().unwrap();
    until_some("it is told again", PATIENCE, || of(&top(), "busy.0.1"));
}
