//! What goes over the wire, and what comes back that no healthy engine would send: against a server of a few lines.

#[cfg(test)]
mod server;

#[cfg(test)]
mod tests {
    use crate::server::{Reply, Server};
    use futures_util::StreamExt;
    use pierhead_engine::{
        CreateRequest, Deadlines, Docker, DockerOptions, Engine, EngineError, LogOptions, Progress, RegistryAuth,
        WorkspacePart,
    };
    use pierhead_model::{Asks, ContainerId, ContainerSpec, FailureKind, ImageReference, Limits, Resources};
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    const OLD: &str = r#"{"ApiVersion": "1.41", "MinAPIVersion": "1.12"}"#;
    const NEW: &str = r#"{"ApiVersion": "1.53", "MinAPIVersion": "1.44"}"#;

    fn connect(server: &Server, deadline: Duration) -> Docker {
        let deadlines = Deadlines::uniform(deadline);
        Docker::connect(&server.address, DockerOptions { deadlines, ..DockerOptions::default() }).unwrap()
    }

    fn image() -> ImageReference {
        ImageReference::parse("r.lan:5000/a:1").unwrap()
    }

    fn id() -> ContainerId {
        ContainerId::parse("ab12").unwrap()
    }

    /// A container of a workspace that may write 100 MB.
    fn of_a_workspace() -> CreateRequest {
        let part = WorkspacePart { disk_mb: Some(100), ..WorkspacePart::new("net", "main", &Asks::default()) };
        CreateRequest {
            name: "lab".to_owned(),
            spec: ContainerSpec::new(image(), Limits { reserved: Resources::new(100, 64), cpu_limit_millis: 100 }),
            ports: Vec::new(),
            labels: BTreeMap::new(),
            pids_limit: 64,
            engine_restarts: false,
            workspace: Some(part),
        }
    }

    fn silent() -> Progress {
        Arc::new(|_| {})
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn the_version_is_agreed_on_once_and_stands_before_every_path() {
        let server = Server::new(|head, _| match head {
            "GET /version" => Reply::json(OLD),
            "GET /v1.41/containers/json?all=true&size=false" => Reply::json("[]"),
            "POST /v1.41/containers/ab12/start" => Reply::status(204, ""),
            "GET /v1.41/containers/ab12/json" => Reply::json(r#"{"Config": {"Tty": true}}"#),
            _ if head.starts_with("GET /v1.41/containers/ab12/logs?") => Reply::json("raw"),
            _ if head.starts_with("GET /v1.41/events?") => Reply::json("{}"),
            _ => Reply::status(500, head),
        })
        .await;
        let engine = connect(&server, LONG);
        assert!(engine.containers().await.unwrap().is_empty());
        engine.start(&id()).await.unwrap();
        let lines: Vec<_> = engine.logs(&id(), LogOptions::default()).await.unwrap().collect().await;
        assert_eq!(lines[0].as_ref().unwrap().bytes, b"raw");
        drop(engine.events(None).await.unwrap());
        assert_eq!(server.count("GET /version"), 1);
    }

    #[tokio::test]
    async fn a_newer_engine_is_spoken_to_in_the_newest_version_that_we_know() {
        let server = Server::new(|head, _| match head {
            "GET /version" => Reply::json(NEW),
            "POST /v1.47/containers/ab12/start" => Reply::status(204, ""),
            _ => Reply::status(500, head),
        })
        .await;
        connect(&server, LONG).start(&id()).await.unwrap();
    }

    #[tokio::test]
    async fn an_engine_that_was_replaced_gets_another_version() {
        let server = Server::new(|head, earlier| {
            let replaced = earlier.iter().filter(|head| head.ends_with("/start")).count() >= 1;
            match head {
                "GET /version" => Reply::json(if replaced { NEW } else { OLD }),
                "POST /v1.41/containers/ab12/start" if !replaced => Reply::status(204, ""),
                "POST /v1.47/containers/ab12/start" if replaced => Reply::status(204, ""),
                _ => Reply::status(
                    400,
                    r#"{"message": "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version"}"#,
                ),
            }
        })
        .await;
        let engine = connect(&server, LONG);
        engine.start(&id()).await.unwrap();
        engine.start(&id()).await.unwrap();
        assert_eq!(server.count("GET /version"), 2);
    }

    #[tokio::test]
    async fn an_engine_too_old_is_refused_before_anything_is_asked_of_it() {
        let server = Server::new(|head, _| match head {
            "GET /version" => Reply::json(r#"{"ApiVersion": "1.40", "MinAPIVersion": "1.12"}"#),
            "GET /_ping" => Reply::status(200, "OK"),
            _ => Reply::status(500, head),
        })
        .await;
        let engine = connect(&server, LONG);
        engine.ping().await.unwrap();
        let error = engine.start(&id()).await.unwrap_err();
        assert!(matches!(&error, EngineError::Refused(text) if text.contains("1.40")), "{error}");
        assert_eq!(server.heads(), ["GET /_ping", "GET /version"]);
    }

    #[tokio::test]
    async fn a_registry_account_is_in_the_alphabet_that_engines_decode() {
        let server = Server::new(|head, _| match head {
            "GET /version" => Reply::json(OLD),
            _ => Reply::json("{\"status\": \"done\"}\n"),
        })
        .await;
        let auth = RegistryAuth {
            server: "r.lan:5000".into(),
            username: "bob".into(),
            password: "~~~???>>>\u{fb}\u{ff}".into(),
        };
        connect(&server, LONG).pull(&image(), Some(&auth), silent()).await.unwrap();
        let header = server.header("x-registry-auth").expect("an account");
        assert!(header.contains(['-', '_']) && !header.contains(['+', '/']), "{header}");
    }

    #[tokio::test]
    async fn a_pull_that_fails_half_way_was_no_pull() {
        let server = Server::new(|head, _| match head {
            "GET /version" => Reply::json(OLD),
            _ => Reply::json(concat!(
                r#"{"status":"Pulling from a","id":"1"}"#,
                "\n",
                r#"{"status":"Pulling fs layer","progressDetail":{},"id":"l1"}"#,
                "\n",
                r#"{"status":"Downloading","progressDetail":{"current":50,"total":100},"id":"l1"}"#,
                "\n",
                r#"{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}"#,
                "\n",
            )),
        })
        .await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let progress: Progress = Arc::new({
            let seen = seen.clone();
            move |percent| seen.lock().unwrap().push(percent)
        });
        let error = connect(&server, LONG).pull(&image(), None, progress).await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::NoImage);
        assert!(error.to_string().contains("manifest unknown"));
        assert!(!seen.lock().unwrap().contains(&100));
    }

    #[tokio::test]
    async fn a_pull_without_progress_ends_and_one_with_some_goes_on() {
        let server = Server::new(|head, _| match head {
            "GET /version" => Reply::json(OLD),
            _ => Reply::slowly(11, Duration::from_millis(300), "{\"status\": \"Waiting\", \"id\": \"l1\"}\n"),
        })
        .await;
        connect(&server, Duration::from_secs(3)).pull(&image(), None, silent()).await.unwrap();
        let error = connect(&server, Duration::from_millis(100)).pull(&image(), None, silent()).await.unwrap_err();
        assert!(matches!(error, EngineError::TimedOut { call: "pull", milliseconds: 100 }), "{error}");
    }

    #[tokio::test]
    async fn nonsense_is_an_error_and_not_a_panic() {
        for (body, kind) in [("{", FailureKind::Other), ("[{\"Id\": 7}]", FailureKind::Other), ("", FailureKind::Other)]
        {
            let server = Server::new(move |head, _| match head {
                "GET /version" => Reply::json(OLD),
                _ => Reply::json(body),
            })
            .await;
            let error = connect(&server, LONG).containers().await.unwrap_err();
            assert_eq!(error.failure().kind, kind, "{body:?}: {error}");
        }
        let server = Server::new(|_, _| Reply::Raw(b"SSH-2.0-nonsense\r\n\r\n".to_vec())).await;
        let error = connect(&server, LONG).ping().await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::Unreachable, "{error}");
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_leaves_the_outcome_open() {
        let torn = b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"Id\": \"ab".to_vec();
        let server = Server::new(move |head, _| match head {
            "GET /version" => Reply::json(OLD),
            _ => Reply::Raw(torn.clone()),
        })
        .await;
        let error = connect(&server, LONG).containers().await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::Unreachable, "{error}");
    }

    #[tokio::test]
    async fn a_removal_that_somebody_else_began_is_waited_for() {
        let busy = r#"{"message": "removal of container ab12 is already in progress"}"#;
        let gone_after = |looks: usize| {
            Server::new(move |head, earlier| match head {
                "GET /version" => Reply::json(OLD),
                "DELETE /v1.41/containers/ab12?v=false&force=true&link=false" => Reply::status(409, busy),
                "GET /v1.41/containers/ab12/json"
                    if earlier.iter().filter(|head| head.ends_with("/json")).count() < looks =>
                {
                    Reply::json(r#"{"Id": "ab12"}"#)
                }
                _ => Reply::status(404, r#"{"message": "No such container: ab12"}"#),
            })
        };
        let server = gone_after(2).await;
        connect(&server, LONG).remove(&id()).await.unwrap();
        assert_eq!(server.count("GET /v1.41/containers/ab12/json"), 3);
        let server = gone_after(usize::MAX).await;
        let error = connect(&server, Duration::from_millis(500)).remove(&id()).await.unwrap_err();
        assert!(matches!(error, EngineError::TimedOut { call: "remove", milliseconds: 500 }), "{error}");
    }

    #[tokio::test]
    async fn a_quota_is_asked_for_where_it_may_be_had_and_once_where_it_is_refused() {
        let refusal =
            r#"{"message": "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"}"#;
        let on = |driver: &'static str, backing: &'static str, is_refused: bool| {
            let info = format!(r#"{{"Driver": "{driver}", "DriverStatus": [["Backing Filesystem", "{backing}"]]}}"#);
            Server::new(move |head, earlier| match head {
                "GET /version" => Reply::json(OLD),
                "GET /v1.41/info" => Reply::json(&info),
                "GET /v1.41/images/r.lan:5000%2Fa:1/json" | "GET /v1.41/images/r.lan:5000/a:1/json" => {
                    Reply::json(r#"{"Size": 7340033}"#)
                }
                _ if !head.starts_with("POST /v1.41/containers/create") => Reply::status(404, head),
                _ if is_refused && !earlier.iter().any(|head| head.starts_with("POST")) => Reply::status(500, refusal),
                _ => Reply::status(201, r#"{"Id": "ab12", "Warnings": []}"#),
            })
        };
        for (driver, backing, is_refused, asked) in [
            ("overlay2", "xfs", false, ["100m", "100m"].as_slice()),
            ("overlay2", "xfs", true, ["100m", "", ""].as_slice()),
            ("overlay2", "extfs", false, ["", ""].as_slice()),
            ("btrfs", "btrfs", false, ["107m", "107m"].as_slice()),
        ] {
            let server = on(driver, backing, is_refused).await;
            let engine = connect(&server, LONG);
            for _ in 0..2 {
                engine.facts().await.unwrap();
                assert_eq!(engine.create(&of_a_workspace()).await.unwrap(), id());
            }
            let bodies = server.bodies("POST /v1.41/containers/create");
            let quotas = bodies.iter().map(|body| {
                let told: serde_json::Value = serde_json::from_str(body).unwrap();
                told["HostConfig"]["StorageOpt"]["size"].as_str().unwrap_or_default().to_owned()
            });
            assert_eq!(quotas.collect::<Vec<_>>(), asked, "{driver} on {backing}");
            assert_eq!(server.count("GET /v1.41/info"), 2, "what the facts told is not asked again");
        }
    }

    #[tokio::test]
    async fn a_stop_names_its_grace_period_and_waits_longer() {
        let server = Server::new(|head, _| match head {
            "GET /version" => Reply::json(OLD),
            "POST /v1.41/containers/ab12/stop?t=10" => Reply::late(Duration::from_millis(1200), 204),
            "POST /v1.41/containers/ab12/restart?t=0" => Reply::status(204, ""),
            _ => Reply::status(500, head),
        })
        .await;
        let engine = connect(&server, Duration::from_secs(1));
        engine.stop(&id(), 10).await.unwrap();
        engine.restart(&id(), 0).await.unwrap();
    }

    #[tokio::test]
    async fn one_stuck_container_hides_no_others() {
        let list = r#"[{"Id": "aa", "State": "running", "Names": ["/stuck"]}, {"Id": "bb", "State": "running", "Names": ["/well"]},
            {"Id": "cc", "State": "running", "Names": ["/gone"]}]"#;
        let server = Server::new(move |head, _| match head {
            "GET /version" => Reply::json(OLD),
            "GET /v1.41/containers/json?all=true&size=false" => Reply::json(list),
            "GET /v1.41/containers/bb/json" => Reply::json(r#"{"Id": "bb", "HostConfig": {"Memory": 67108864}}"#),
            "GET /v1.41/containers/cc/json" => Reply::status(404, r#"{"message": "No such container: cc"}"#),
            "GET /_ping" => Reply::status(200, "OK"),
            _ => Reply::Never,
        })
        .await;
        let mut deadlines = Deadlines::uniform(LONG);
        deadlines.inspect = Duration::from_secs(2);
        let engine = Docker::connect(&server.address, DockerOptions { deadlines, ..DockerOptions::default() }).unwrap();
        let containers = engine.containers().await.unwrap();
        let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
        assert_eq!(names, ["stuck", "well"]);
        assert_eq!(containers[1].limits.memory_mb, 64);
        engine.containers().await.unwrap();
        assert_eq!(server.count("GET /v1.41/containers/bb/json"), 1, "known for a minute");
        assert_eq!(server.count("GET /v1.41/containers/aa/json"), 1, "left alone for a minute");
    }

    #[tokio::test]
    async fn an_engine_that_hangs_in_the_middle_of_a_list_gives_no_half_list() {
        let server = Server::new(|head, _| match head {
            "GET /version" => Reply::json(OLD),
            "GET /v1.41/containers/json?all=true&size=false" => Reply::json(r#"[{"Id": "aa"}, {"Id": "bb"}]"#),
            _ => Reply::Never,
        })
        .await;
        let engine = connect(&server, Duration::from_millis(300));
        assert!(matches!(engine.containers().await, Err(EngineError::TimedOut { .. })));
    }
}
