//! The interface's named tests, and what else a mock shows of these types.
use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::task::Poll;
use std::thread;
use std::time::{Duration, SystemTime};

use caisson::{
    cpu_percent, signal_name_from_exit_code, validate_signal, ContainerId, ContainerState, Error,
    ExecEvent, Format, LogEntry, LogSource, LogStream, PullPolicy, RegistryAuth, Runtime, Service,
    Stats, WaitOutcome, WaitReason,
};

/// The smallest service.
fn mock_spec() -> Service {
    Service::from_yaml(
        "rtype: service\nimage: {name: 'test:latest'}\nendpoints: [{name: http, protocol: http, port: 8080}]\n",
    )
    .unwrap()
}

fn id(service: &str, replica: u32) -> ContainerId {
    ContainerId::new(service, replica).unwrap()
}

/// A mock in which that container runs.
fn running(id: &ContainerId) -> Runtime {
    let runtime = Runtime::mock().unwrap();
    runtime.create_container(id, &mock_spec()).unwrap();
    runtime.start_container(id).unwrap();
    runtime
}

// ---- the interface's own tests ------------------------------------------------------------------

#[test]
fn test_mock_runtime() {
    let runtime = Runtime::mock().unwrap();
    let id = id("test", 1);
    runtime.pull_image("test:latest").unwrap();
    runtime.create_container(&id, &mock_spec()).unwrap();
    assert_eq!(runtime.container_state(&id), Ok(ContainerState::Pending));
    runtime.start_container(&id).unwrap();
    assert_eq!(runtime.container_state(&id), Ok(ContainerState::Running));
}

#[test]
fn validate_signal_accepts_known_signals() {
    for name in [
        "SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2",
    ] {
        assert_eq!(validate_signal(name).as_deref(), Ok(name));
    }
    assert_eq!(validate_signal("KILL").as_deref(), Ok("SIGKILL"));
    assert_eq!(validate_signal("term").as_deref(), Ok("SIGTERM"));
    assert_eq!(validate_signal(" INT ").as_deref(), Ok("SIGINT"));
}

#[test]
fn validate_signal_rejects_unknown_or_empty() {
    for text in ["", "   ", "SIGSEGV", "NOPE", "SIGPIPE", "KILL\0"] {
        assert!(
            matches!(validate_signal(text), Err(Error::InvalidSpec(_))),
            "{text:?}"
        );
    }
    assert_eq!(
        validate_signal("").map_err(|e| e.to_string()),
        Err("Invalid spec: signal must not be empty".into())
    );
}

#[test]
fn mock_kill_container_defaults_to_sigkill() {
    let id = id("kill-me", 0);
    let runtime = running(&id);
    runtime.kill_container(&id, None).unwrap();
    assert_eq!(
        runtime.container_state(&id),
        Ok(ContainerState::Exited { code: 137 })
    );
}

#[test]
fn wait_reason_serializes_as_snake_case() {
    assert_eq!(WaitReason::Exited.to_json(), "\"exited\"");
    assert_eq!(WaitReason::Signal.to_json(), "\"signal\"");
    assert_eq!(WaitReason::OomKilled.to_json(), "\"oom_killed\"");
    assert_eq!(WaitReason::RuntimeError.to_json(), "\"runtime_error\"");
}

#[test]
fn wait_reason_deserialize_roundtrip() {
    for reason in [
        WaitReason::Exited,
        WaitReason::Signal,
        WaitReason::OomKilled,
        WaitReason::RuntimeError,
    ] {
        assert_eq!(reason.as_str().parse(), Ok(reason));
    }
    assert!("Exited".parse::<WaitReason>().is_err());
}

#[test]
fn signal_name_from_exit_code_known_signals() {
    for (code, name) in [
        (137, "SIGKILL"),
        (143, "SIGTERM"),
        (130, "SIGINT"),
        (129, "SIGHUP"),
        (139, "SIGSEGV"),
    ] {
        assert_eq!(signal_name_from_exit_code(code).as_deref(), Some(name));
    }
}

#[test]
fn signal_name_from_exit_code_handles_unknown_and_normal() {
    for code in [0, 1, 128] {
        assert_eq!(signal_name_from_exit_code(code), None);
    }
    assert_eq!(
        signal_name_from_exit_code(227).as_deref(),
        Some("signal_99")
    );
}

#[test]
fn default_wait_outcome_delegates_to_wait_container() {
    let id = id("job", 1);
    let outcome = running(&id).wait_outcome(&id, None).unwrap();
    assert_eq!(outcome.exit_code, 0);
    assert_eq!(outcome.reason, WaitReason::Exited);
    assert_eq!(outcome.signal, None);
    assert_eq!(outcome.finished_at, None);
}

#[test]
fn mock_kill_container_rejects_bogus_signal() {
    let id = id("kill-me", 1);
    let runtime = running(&id);
    let error = runtime.kill_container(&id, Some("SIGFOO"));
    assert!(matches!(error, Err(Error::InvalidSpec(_))), "{error:?}");
}

#[test]
fn parse_display_round_trips_cluster_shape() {
    let id = ContainerId::with_role_and_node("web", "primary", 3, 17).unwrap();
    assert_eq!(id.to_string(), "web-primary-3-on-17");
    assert!(!id.is_legacy_shape());
    let back: ContainerId = id.to_string().parse().unwrap();
    assert_eq!(back, id);
    assert_eq!((back.role(), back.node_id()), ("primary", 17));
}

#[test]
fn parse_display_round_trips_legacy_shape() {
    let id = id("web", u32::MAX);
    assert_eq!(id.to_string(), "web-rep-4294967295");
    assert!(id.is_legacy_shape());
    assert_eq!(id.to_string().parse(), Ok(id));
}

#[test]
fn parse_display_handles_hyphenated_service() {
    let id: ContainerId = "my-web-app-rep-2".parse().unwrap();
    assert_eq!((id.service(), id.replica()), ("my-web-app", 2));
    let id: ContainerId = "my-web-read-2-on-9".parse().unwrap();
    assert_eq!(
        (id.service(), id.role(), id.replica(), id.node_id()),
        ("my-web", "read", 2, 9)
    );
}

#[test]
fn parse_display_rejects_non_ids() {
    for text in [
        "",
        "web",
        "deadbeef0123",
        "-rep-1",
        "web-rep-",
        "web-rep-x",
        "web--1-on-2",
    ] {
        assert!(text.parse::<ContainerId>().is_err(), "{text}");
    }
}

#[test]
fn memory_percent_of_the_limit() {
    let stats = |memory_bytes, memory_limit| Stats {
        cpu_usage_usec: 0,
        memory_bytes,
        memory_limit,
        timestamp: Duration::ZERO,
    };
    assert_eq!(stats(512, 1024).memory_percent(), 50.0);
    assert_eq!(stats(512, u64::MAX).memory_percent(), 0.0);
    assert_eq!(stats(512, 0).memory_percent(), 0.0);
}

#[test]
fn cpu_percent_of_the_processors() {
    let sample = |seconds, cpu_usage_usec| Stats {
        cpu_usage_usec,
        memory_bytes: 0,
        memory_limit: 0,
        timestamp: Duration::from_secs(seconds),
    };
    let (before, after) = (sample(1, 0), sample(2, 500_000));
    assert_eq!(cpu_percent(&before, &after, 1), 50.0);
    assert_eq!(cpu_percent(&before, &after, 2), 25.0);
    assert_eq!(cpu_percent(&before, &after, 0), 0.0);
    assert_eq!(cpu_percent(&before, &before, 1), 0.0);
}

// ---- the rest of the mock -----------------------------------------------------------------------

#[test]
fn ids_that_cannot_be() {
    for service in ["", "a/b", "-a", "a\0b"] {
        assert!(
            matches!(ContainerId::new(service, 1), Err(Error::InvalidSpec(_))),
            "{service:?}"
        );
    }
    for role in [
        "",
        "1a",
        "a-",
        "A",
        "a\0b",
        &"a".repeat(31),
        &"a".repeat(32),
    ] {
        let id = ContainerId::with_role_and_node("web", role, 1, 1);
        assert!(matches!(id, Err(Error::InvalidSpec(_))), "{role:?}");
    }
}

#[test]
fn facts_of_a_container() {
    let id = id("facts", 3);
    let runtime = running(&id);
    assert_eq!(runtime.name(), "mock");
    assert_eq!(runtime.engine(), None);
    assert_eq!(runtime.get_container_pid(&id), Ok(Some(std::process::id())));
    assert_eq!(
        runtime.get_container_ip(&id),
        Ok(Some(Ipv4Addr::new(172, 17, 0, 5).into()))
    );
    assert_eq!(runtime.get_container_port_override(&id), Ok(None));
    assert_eq!(runtime.get_container_namespace_id(&id), Ok(None));
    runtime.sync_container_volumes(&id).unwrap();
    let stats = runtime.get_container_stats(&id).unwrap();
    assert_eq!(stats.cpu_usage_usec, 1_000_000);
    assert_eq!(
        (stats.memory_bytes, stats.memory_limit),
        (52_428_800, 268_435_456)
    );
    assert!(stats.timestamp > Duration::ZERO);
    runtime.stop_container(&id, Duration::from_secs(1)).unwrap();
    assert_eq!(
        runtime.container_state(&id),
        Ok(ContainerState::Exited { code: 0 })
    );
    assert_eq!(
        runtime.wait_container(&id, Some(Duration::from_secs(1))),
        Ok(0)
    );
    assert_eq!(runtime.is_paused(&id), Ok(false));
    runtime.remove_container(&id).unwrap();
    runtime.remove_container(&id).unwrap();
}

#[test]
fn unknown_containers_are_not_found() {
    let runtime = Runtime::mock().unwrap();
    let id = id("nobody", 7);
    let not_found = Error::NotFound {
        container: "nobody-rep-7".into(),
        reason: "container not found".into(),
    };
    assert_eq!(
        not_found.to_string(),
        "Container 'nobody-rep-7' not found: container not found"
    );
    assert_eq!(runtime.container_state(&id), Err(not_found.clone()));
    assert_eq!(runtime.get_container_pid(&id), Err(not_found.clone()));
    assert_eq!(runtime.get_container_ip(&id), Err(not_found.clone()));
    assert_eq!(runtime.get_container_stats(&id), Err(not_found.clone()));
    assert_eq!(runtime.wait_container(&id, None), Err(not_found.clone()));
    assert_eq!(runtime.wait_outcome(&id, None), Err(not_found.clone()));
    assert_eq!(runtime.wait_fd(&id).map(drop), Err(not_found.clone()));
    assert_eq!(runtime.get_logs(&id), Err(not_found.clone()));
    assert_eq!(runtime.kill_container(&id, None), Err(not_found));
}

#[test]
fn operations_of_real_containers_only() {
    let id = id("pause", 1);
    let runtime = running(&id);
    let unsupported = |method| {
        Err(Error::Unsupported(format!(
            "{method} is not supported by this runtime"
        )))
    };
    assert_eq!(runtime.pause_container(&id), unsupported("pause_container"));
    assert_eq!(
        runtime.unpause_container(&id),
        unsupported("unpause_container")
    );
}

#[test]
fn images() {
    let runtime = Runtime::mock().unwrap();
    assert_eq!(runtime.list_images(), Ok(vec![]));
    runtime.remove_image("any:image", false).unwrap();
    let auth = RegistryAuth::basic("me", "secret");
    runtime
        .pull_image_with_policy("test:latest", PullPolicy::Always, Some(&auth))
        .unwrap();
    runtime
        .pull_image_with_policy("test:latest", PullPolicy::Never, None)
        .unwrap();
    assert!(matches!(runtime.pull_image(""), Err(Error::InvalidSpec(_))));
}

#[test]
fn logs() {
    let id = id("talk", 1);
    let runtime = running(&id);
    let entries = runtime.container_logs(&id, 50).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        (entries[0].stream, entries[0].text().as_ref()),
        (LogStream::Stdout, "mock log line 1")
    );
    assert_eq!(
        (entries[1].stream, entries[1].text().as_ref()),
        (LogStream::Stderr, "mock error line")
    );
    assert_eq!(entries[0].source, LogSource::Container("mock".into()));
    let last = runtime.container_logs(&id, 1).unwrap();
    assert_eq!((last.len(), last[0].text()), (1, "mock error line".into()));
    assert_eq!(runtime.container_logs(&id, 0), Ok(vec![]));

    let all = runtime.get_logs(&id).unwrap();
    let texts: Vec<_> = all.iter().map(|e| e.text()).collect();
    assert_eq!(
        texts,
        [
            "[talk-rep-1] Container started",
            "[talk-rep-1] Executing command...",
            "[talk-rep-1] Command completed successfully"
        ]
    );
    assert_eq!(all[0].source, LogSource::Container("talk-rep-1".into()));
    assert!(all[0].timestamp > SystemTime::UNIX_EPOCH);
}

#[test]
fn log_entry_as_json() {
    let entry = LogEntry {
        timestamp: SystemTime::UNIX_EPOCH + Duration::new(1, 1),
        stream: LogStream::Stderr,
        message: b"a \"b\" \xff".to_vec(),
        source: LogSource::Container("web-rep-1".into()),
        service: Some("web".into()),
        deployment: None,
    };
    assert_eq!(
        entry.to_json().unwrap(),
        "{\"timestamp\":\"1970-01-01T00:00:01.000000001Z\",\"stream\":\"stderr\",\
         \"message\":\"a \\\"b\\\" \u{fffd}\",\"source\":{\"type\":\"container\",\
         \"id\":\"web-rep-1\"},\"service\":\"web\"}"
    );
    let daemon = LogEntry {
        source: LogSource::Daemon,
        ..entry
    };
    assert!(daemon
        .to_json()
        .unwrap()
        .contains("\"source\":{\"type\":\"daemon\"}"));
}

#[test]
fn wait_outcome_roundtrip() {
    for json in [
        "{\"exit_code\":7,\"reason\":\"exited\",\"signal\":null,\"finished_at\":null}",
        "{\"exit_code\":143,\"reason\":\"signal\",\"signal\":\"SIGTERM\",\
         \"finished_at\":\"2026-11-25T17:00:00.123456789Z\"}",
    ] {
        assert_eq!(
            WaitOutcome::from_json(json).unwrap().to_json().as_deref(),
            Ok(json)
        );
    }
    let error = WaitOutcome::from_json("{\"exit_code\":1,\"reason\":\"bored\"}").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("outcome: reason: expected exited"),
        "{error}"
    );
    assert_eq!(WaitOutcome::exited(3).exit_code, 3);
    assert_eq!(WaitOutcome::exited(3).reason, WaitReason::Exited);
}

#[test]
fn exec_buffered_and_streamed() {
    let id = id("exec", 1);
    let runtime = running(&id);
    let result = runtime.exec(&id, &["echo", "hello"], None).unwrap();
    assert_eq!(
        (result.exit_code, &result.stdout[..], &result.stderr[..]),
        (0, &b"echo hello"[..], &b""[..])
    );

    let mut stream = runtime.exec_stream(&id, &["echo", "hello"]).unwrap();
    drop(runtime); // the stream keeps what it needs
    let events: Vec<_> = stream.by_ref().map(|e| e.unwrap()).collect();
    assert_eq!(
        events,
        [
            ExecEvent::Stdout(b"echo hello".to_vec()),
            ExecEvent::Exit(0)
        ]
    );
    assert!(stream.next().is_none());
    assert!(matches!(
        stream.next_within(Some(Duration::ZERO)),
        Poll::Ready(None)
    ));
}

#[test]
fn exec_needs_a_command_of_texts() {
    let id = id("exec", 2);
    let runtime = running(&id);
    let nothing: [&str; 0] = [];
    assert_eq!(
        runtime.exec(&id, &nothing, None),
        Err(Error::InvalidSpec("exec command cannot be empty".into()))
    );
    assert!(matches!(
        runtime.exec_stream(&id, &nothing),
        Err(Error::InvalidSpec(_))
    ));
    assert!(matches!(
        runtime.exec(&id, &["a\0b"], None),
        Err(Error::InvalidSpec(_))
    ));
}

#[test]
fn a_wait_is_a_file() {
    let id = id("wait", 1);
    let fd: OwnedFd = running(&id).wait_fd(&id).unwrap();
    assert!(fd.as_raw_fd() >= 0);
}

#[test]
fn services_are_checked() {
    let error = Service::from_json("{\"image\": {\"name\": \"a:b\"}, \"bogus\": 1}").unwrap_err();
    assert!(
        matches!(error, Error::InvalidSpec(_)) && error.to_string().contains("bogus"),
        "{error}"
    );
    let deployment = "version: v1\ndeployment: shop\nservices: {web: {image: {name: 'a:b'}}}\n";
    Service::from_deployment(deployment, Format::Yaml, "web").unwrap();
    let error = Service::from_deployment(deployment, Format::Yaml, "db").unwrap_err();
    assert!(error.to_string().contains("db"), "{error}");
}

#[test]
fn threads_share_a_runtime() {
    let runtime = Runtime::mock().unwrap();
    let service = std::sync::Arc::new(mock_spec());
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let (runtime, service) = (runtime.clone(), service.clone());
            thread::spawn(move || {
                let id = id("meet", n);
                for _ in 0..100 {
                    runtime.create_container(&id, &service).unwrap();
                    runtime.start_container(&id).unwrap();
                    runtime.kill_container(&id, None).unwrap();
                    assert_eq!(runtime.wait_container(&id, None), Ok(137));
                }
                id
            })
        })
        .collect();
    let ids: HashSet<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    assert_eq!(ids.len(), 8);
}
