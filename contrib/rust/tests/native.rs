//! Real containers. They need root, and directories in which `box:latest`, an image with a busybox
//! shell, has been loaded: `$CSN_TEST_ROOT` and `$CSN_TEST_RUN_ROOT`. `make check-rust` sees to all
//! of it; without it the tests are ignored.
use std::env;
use std::os::raw::{c_int, c_short, c_ulong};
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use caisson::{
    Config, ContainerId, ContainerState, Error, ExecEvent, ExecOptions, ImageDetails, LogStream,
    LogsStreamOptions, PullPolicy, Runtime, Service, WaitCondition, WaitReason,
};

const LONG: Option<Duration> = Some(Duration::from_secs(30));

fn open() -> Runtime {
    let path = |name| env::var_os(name).map(Into::into);
    let config = Config {
        root: path("CSN_TEST_ROOT"),
        run_root: path("CSN_TEST_RUN_ROOT"),
    };
    assert!(
        config.root.is_some() && config.run_root.is_some(),
        "CSN_TEST_ROOT, CSN_TEST_RUN_ROOT"
    );
    let runtime = Runtime::native(&config).unwrap();
    assert_eq!(runtime.name(), "native");
    runtime
}

/// A started container that is removed when the test is over, however that ends.
struct Started {
    runtime: Runtime,
    id: ContainerId,
}

impl Started {
    fn new(service: &str, command: &str) -> Started {
        let spec = Service::from_yaml(&format!(
            "image: {{name: 'box:latest'}}\nnetwork_mode: none\ncommand: {{args: [sh, -c, '{command}']}}\n"
        ))
        .unwrap();
        let started = Started {
            runtime: open(),
            id: ContainerId::new(service, 1).unwrap(),
        };
        started
            .runtime
            .create_container(&started.id, &spec)
            .unwrap();
        started.runtime.start_container(&started.id).unwrap();
        started
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let gone = self.runtime.remove_container(&self.id);
        assert!(gone.is_ok() || std::thread::panicking(), "{gone:?}");
    }
}

/// poll(2) for input.
fn readable(fd: BorrowedFd<'_>, limit: Duration) -> bool {
    #[repr(C)]
    struct PollFd {
        fd: c_int,
        events: c_short,
        revents: c_short,
    }
    extern "C" {
        fn poll(fds: *mut PollFd, count: c_ulong, timeout: c_int) -> c_int;
    }
    let mut p = PollFd {
        fd: fd.as_raw_fd(),
        events: 1,
        revents: 0,
    };
    unsafe { poll(&mut p, 1, limit.as_millis() as c_int) == 1 }
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn an_exit_code_is_told() {
    let c = Started::new("seven", "exit 7");
    assert_eq!(c.runtime.wait_container(&c.id, LONG), Ok(7));
    let outcome = c.runtime.wait_outcome(&c.id, LONG).unwrap();
    assert_eq!(
        (outcome.exit_code, outcome.reason, outcome.signal),
        (7, WaitReason::Exited, None)
    );
    assert!(outcome.started_at < outcome.finished_at);
    assert!(outcome.finished_at < Some(SystemTime::now()));
    assert_eq!(
        c.runtime.container_state(&c.id),
        Ok(ContainerState::Exited { code: 7 })
    );
    assert_eq!(c.runtime.get_container_pid(&c.id), Ok(None));
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn a_signal_is_told() {
    let c = Started::new("killed", "sleep 60");
    c.runtime.kill_container(&c.id, Some("kill")).unwrap();
    let outcome = c.runtime.wait_outcome(&c.id, LONG).unwrap();
    assert_eq!(
        (outcome.exit_code, outcome.reason),
        (137, WaitReason::Signal)
    );
    assert_eq!(outcome.signal.as_deref(), Some("SIGKILL"));
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn waiting_ends_in_time() {
    let c = Started::new("long", "sleep 60");
    let limit = Duration::from_millis(1500);
    let error = c.runtime.wait_container(&c.id, Some(limit)).unwrap_err();
    assert_eq!(error, Error::Timeout { timeout: limit });
    assert_eq!(error.to_string(), "Timeout after 1.5s");
    let end = c.runtime.wait_fd(&c.id).unwrap();
    assert!(!readable(end.as_fd(), Duration::ZERO));
    c.runtime.kill_container(&c.id, None).unwrap();
    assert!(readable(end.as_fd(), Duration::from_secs(30)));
    assert_eq!(
        c.runtime.wait_container(&c.id, Some(Duration::ZERO)),
        Ok(137)
    );
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn stop_gives_time_and_then_none() {
    let c = Started::new("stop", "sleep 60");
    let before = Instant::now();
    c.runtime
        .stop_container(&c.id, Duration::from_millis(200))
        .unwrap();
    assert!(before.elapsed() >= Duration::from_millis(200));
    assert_eq!(c.runtime.wait_container(&c.id, LONG), Ok(137));
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn paused_is_running() {
    let c = Started::new("pause", "sleep 60");
    c.runtime.pause_container(&c.id).unwrap();
    assert_eq!(
        c.runtime.container_state(&c.id),
        Ok(ContainerState::Running)
    );
    assert_eq!(c.runtime.is_paused(&c.id), Ok(true));
    assert!(matches!(
        c.runtime.pause_container(&c.id),
        Err(Error::InvalidSpec(_))
    ));
    c.runtime.unpause_container(&c.id).unwrap();
    assert_eq!(c.runtime.is_paused(&c.id), Ok(false));
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn a_runtime_that_is_opened_again_finds_what_lives() {
    let c = Started::new("again", "sleep 60");
    let pid = c.runtime.get_container_pid(&c.id).unwrap();
    assert!(pid.is_some());
    let Started { runtime, id } = &c;
    drop(runtime.clone());
    let other = open();
    assert_eq!(other.container_state(id), Ok(ContainerState::Running));
    assert_eq!(other.get_container_pid(id), Ok(pid));
    other.kill_container(id, None).unwrap();
    assert_eq!(other.wait_container(id, LONG), Ok(137));
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn containers_outlive_the_runtime() {
    let id = ContainerId::new("outlive", 1).unwrap();
    let spec = Service::from_json(
        "{\"image\": {\"name\": \"box:latest\"}, \"network_mode\": \"none\", \"command\": {\"args\": [\"sh\", \"-c\", \"sleep 0.5; exit 5\"]}}",
    )
    .unwrap();
    let first = open();
    first.create_container(&id, &spec).unwrap();
    first.start_container(&id).unwrap();
    drop(first);
    let second = open();
    assert_eq!(second.wait_container(&id, LONG), Ok(5));
    // Started again by the second, on the same files.
    second.start_container(&id).unwrap();
    assert_eq!(second.wait_container(&id, LONG), Ok(5));
    second.remove_container(&id).unwrap();
    assert!(matches!(
        second.container_state(&id),
        Err(Error::NotFound { .. })
    ));
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn exec_tells_code_and_both_streams() {
    let c = Started::new("exec", "sleep 60");
    let command = ["sh", "-c", "printf out; printf err >&2; exit 9"];
    let result = c.runtime.exec(&c.id, &command, LONG).unwrap();
    assert_eq!(
        (result.exit_code, &result.stdout[..], &result.stderr[..]),
        (9, &b"out"[..], &b"err"[..])
    );
    let error = c
        .runtime
        .exec(&c.id, &["sleep", "59"], Some(Duration::from_millis(300)));
    assert_eq!(
        error,
        Err(Error::Timeout {
            timeout: Duration::from_millis(300)
        })
    );
    assert!(matches!(
        c.runtime.exec(&c.id, &["/nowhere"], LONG),
        Err(Error::Internal(_))
    ));
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn exec_streams_while_it_runs() {
    let c = Started::new("stream", "sleep 60");
    let command = ["sh", "-c", "echo first; read line; echo never"];
    let mut stream = c
        .runtime
        .exec_stream(&c.id, &["sh", "-c", "echo first; sleep 50"])
        .unwrap();
    assert!(readable(stream.as_fd(), Duration::from_secs(30)));
    match stream.next_within(LONG) {
        Poll::Ready(Some(event)) => assert_eq!(event, Ok(ExecEvent::Stdout(b"first\n".to_vec()))),
        other => panic!("{other:?}"),
    }
    assert!(stream
        .next_within(Some(Duration::from_millis(50)))
        .is_pending());
    drop(stream); // kills it

    // Its input is empty, so this one ends by itself.
    let events: Result<Vec<_>, _> = c.runtime.exec_stream(&c.id, &command).unwrap().collect();
    let events = events.unwrap();
    assert_eq!(events.last(), Some(&ExecEvent::Exit(0)));
    assert_eq!(
        events
            .iter()
            .filter(|e| matches!(e, ExecEvent::Exit(_)))
            .count(),
        1
    );
    let said: Vec<u8> = events
        .iter()
        .filter_map(|e| {
            if let ExecEvent::Stdout(bytes) = e {
                Some(bytes.clone())
            } else {
                None
            }
        })
        .flatten()
        .collect();
    assert_eq!(said, b"first\nnever\n");
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn logs_hold_any_bytes_in_order() {
    let c = Started::new(
        "logs",
        "printf \"a\\\\000b\\\\377c\\\\n\"; sleep 0.1; echo two >&2; sleep 0.1; printf last",
    );
    c.runtime.wait_container(&c.id, LONG).unwrap();
    let entries = c.runtime.container_logs(&c.id, 0).unwrap();
    let said: Vec<_> = entries.iter().map(|e| (e.stream, &e.message[..])).collect();
    assert_eq!(
        said,
        [
            (LogStream::Stdout, &b"a\0b\xffc"[..]),
            (LogStream::Stderr, &b"two"[..]),
            (LogStream::Stdout, &b"last"[..])
        ]
    );
    assert!(entries[0].timestamp < entries[1].timestamp);
    assert_eq!(c.runtime.container_logs(&c.id, 1).unwrap(), entries[2..]);
    assert_eq!(c.runtime.get_logs(&c.id).unwrap(), entries);
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn stats_of_a_running_container() {
    let c = Started::new("stats", "while :; do :; done");
    let before = c.runtime.get_container_stats(&c.id).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let after = c.runtime.get_container_stats(&c.id).unwrap();
    assert!(after.timestamp >= before.timestamp + Duration::from_millis(300));
    assert!(after.cpu_usage_usec > before.cpu_usage_usec);
    assert!(caisson::cpu_percent(&before, &after, 1) > 0.0);
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn what_fails_says_how() {
    let runtime = open();
    let id = ContainerId::new("fails", 1).unwrap();
    let spec = |name, command| {
        Service::from_json(&format!(
            "{{\"image\": {{\"name\": \"{name}\"}}, \"network_mode\": \"none\", \"command\": {{\"args\": [\"{command}\"]}}}}"
        ))
        .unwrap()
    };
    let error = runtime
        .create_container(&id, &spec("nobody/has:this", "true"))
        .unwrap_err();
    assert!(
        matches!(&error, Error::CreateFailed { id, .. } if id == "fails-rep-1"),
        "{error}"
    );
    let error = runtime.start_container(&id).unwrap_err();
    assert!(matches!(&error, Error::StartFailed { .. }), "{error}");
    let error = runtime
        .pull_image_with_policy("nobody/has:this", PullPolicy::Never, None)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("Failed to pull image 'nobody/has:this': "),
        "{error}"
    );

    runtime
        .create_container(&id, &spec("box:latest", "/nowhere"))
        .unwrap();
    let error = runtime.start_container(&id).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("Failed to start container 'fails-rep-1': "),
        "{error}"
    );
    match runtime.container_state(&id).unwrap() {
        ContainerState::Failed { reason } => assert!(reason.contains("/nowhere"), "{reason}"),
        other => panic!("{other}"),
    }
    runtime.remove_container(&id).unwrap();
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn exec_as_another_user_and_on_a_terminal() {
    let c = Started::new("options", "sleep 60");
    let mut options = ExecOptions {
        command: ["sh", "-c", "id -u; pwd; echo $A"]
            .map(String::from)
            .to_vec(),
        env: vec!["A=b".into()],
        working_dir: Some("/tmp".into()),
        user: Some("12:34".into()),
        ..ExecOptions::default()
    };
    let result = c.runtime.exec_with_opts(&c.id, &options, LONG).unwrap();
    assert_eq!(String::from_utf8_lossy(&result.stdout), "12\n/tmp\nb\n");

    options.command = ["sh", "-c", "read x; stty size; echo got $x; exit 4"]
        .map(String::from)
        .to_vec();
    options.tty = true;
    let mut stream = c.runtime.exec_pty(&c.id, &options).unwrap();
    stream.resize(33, 77).unwrap();
    assert!(matches!(stream.write(b"line\n", LONG), Poll::Ready(Ok(5))));
    let events: Vec<_> = stream.map(|e| e.unwrap()).collect();
    let said: Vec<u8> = events
        .iter()
        .filter_map(|e| {
            if let ExecEvent::Stdout(bytes) = e {
                Some(bytes.clone())
            } else {
                None
            }
        })
        .flatten()
        .collect();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        said.contains("33 77") && said.contains("got line"),
        "{said}"
    );
    assert_eq!(events.last(), Some(&ExecEvent::Exit(4)));
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn logs_are_followed_to_the_end() {
    let c = Started::new("follow", "echo one; sleep 0.3; echo two >&2");
    let options = LogsStreamOptions {
        follow: true,
        ..LogsStreamOptions::default()
    };
    let chunks: Result<Vec<_>, _> = c.runtime.logs_stream(&c.id, &options).unwrap().collect();
    let said: Vec<_> = chunks
        .unwrap()
        .into_iter()
        .map(|c| (c.stream, c.bytes))
        .collect();
    assert_eq!(
        said,
        [
            (LogStream::Stdout, b"one\n".to_vec()),
            (LogStream::Stderr, b"two\n".to_vec())
        ]
    );
    assert_eq!(c.runtime.wait_container(&c.id, LONG), Ok(0));
    let details = c.runtime.inspect_detailed(&c.id).unwrap();
    assert_eq!((details.exit_code, details.ports), (Some(0), vec![]));
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn samples_come_until_the_end() {
    let c = Started::new("samples", "sleep 60");
    let interval = Duration::from_millis(50);
    let mut stream = c.runtime.stats_stream(&c.id, interval).unwrap();
    let first = stream.next().unwrap().unwrap();
    let second = stream.next().unwrap().unwrap();
    assert!(second.timestamp > first.timestamp && first.online_cpus > 0);
    c.runtime.kill_container(&c.id, None).unwrap();
    assert!(stream.all(|s| s.is_ok()));
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn a_wait_for_removal() {
    let c = Started::new("removal", "sleep 60");
    let listed = c.runtime.list_containers().unwrap();
    assert!(
        listed.iter().any(|s| s.runtime_id.len() == 64),
        "{listed:?}"
    );
    let (runtime, id) = (c.runtime.clone(), c.id.clone());
    let waiter = std::thread::spawn(move || {
        runtime.wait_outcome_with_condition(&id, WaitCondition::Removed, LONG)
    });
    std::thread::sleep(Duration::from_millis(200));
    assert!(!waiter.is_finished());
    c.runtime.remove_container(&c.id).unwrap();
    assert!(waiter.join().unwrap().is_ok());
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn secrets_come_from_the_agent() {
    let path = |name| env::var_os(name).map(Into::into);
    let config = Config {
        root: path("CSN_TEST_ROOT"),
        run_root: path("CSN_TEST_RUN_ROOT"),
    };
    let options = caisson::Options {
        secret: Some(Box::new(|which| match which.name.as_str() {
            "token" => Ok(b"s3cret".to_vec()),
            "worded" => Err(Error::Internal("vault is sealed".into())),
            _ => panic!("{which:?}"),
        })),
        ..caisson::Options::default()
    };
    let runtime = Runtime::native_with(&config, options).unwrap();
    let id = ContainerId::new("secrets", 1).unwrap();
    let create = |name: &str| {
        let text = format!("image: {{name: 'box:latest'}}\nnetwork_mode: none\nenv: {{A: '$S:{name}'}}\ncommand: {{args: [sh, -c, 'echo $A']}}\n");
        runtime.create_container(&id, &Service::from_yaml(&text).unwrap())
    };
    assert!(create("worded")
        .unwrap_err()
        .to_string()
        .contains("vault is sealed"));
    assert!(create("other")
        .unwrap_err()
        .to_string()
        .contains("has panicked"));
    create("token").unwrap();
    runtime.start_container(&id).unwrap();
    assert_eq!(runtime.wait_container(&id, LONG), Ok(0));
    assert_eq!(runtime.get_logs(&id).unwrap()[0].text(), "s3cret");
    runtime.remove_container(&id).unwrap();
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn what_is_inside() {
    let c = Started::new("inside", "echo x >/new; sleep 60");
    let change = |c: &caisson::Change| c.path == b"/new" && c.kind == caisson::ChangeKind::Added;
    while !c
        .runtime
        .changes_container(&c.id)
        .unwrap()
        .iter()
        .any(change)
    {}
    let top = c.runtime.top_container(&c.id, &["-o", "pid,args"]).unwrap();
    assert_eq!(top.titles.len(), 2, "{top:?}");
    assert!(
        top.rows.iter().any(|r| r[1].contains("sleep 60")),
        "{top:?}"
    );
    let stat = c.runtime.archive_head(&c.id, "/new").unwrap();
    assert_eq!(
        (stat.name.as_str(), stat.size, stat.link_target),
        ("new", 2, None)
    );
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn containers_get_a_token() {
    let path = |name| env::var_os(name).map(Into::into);
    let config = Config {
        root: path("CSN_TEST_ROOT"),
        run_root: path("CSN_TEST_RUN_ROOT"),
    };
    let options = |secret: &str| caisson::Options {
        auth: Some(caisson::ContainerAuthContext {
            api_url: "http://127.0.0.1:3669".into(),
            jwt_secret: secret.into(),
            ..Default::default()
        }),
        ..caisson::Options::default()
    };
    assert!(Runtime::native_with(&config, options(""))
        .unwrap_err()
        .to_string()
        .contains("auth.jwt_secret"));
    let runtime = Runtime::native_with(&config, options("secret")).unwrap();
    let id = ContainerId::new("token", 1).unwrap();
    let text = "image: {name: 'box:latest'}\nnetwork_mode: none\ncommand: {args: [sh, -c, 'echo $ZLAYER_TOKEN $ZLAYER_API_URL $ZLAYER_SOCKET']}\n";
    runtime
        .create_container(&id, &Service::from_yaml(text).unwrap())
        .unwrap();
    runtime.start_container(&id).unwrap();
    assert_eq!(runtime.wait_container(&id, LONG), Ok(0));
    let logs = runtime.get_logs(&id).unwrap();
    let said = logs[0].text();
    assert!(said.starts_with("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."));
    assert!(said.ends_with(" http://127.0.0.1:3669"));
    runtime.remove_container(&id).unwrap();
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn images_tell_of_themselves() {
    let runtime = open();
    let details = runtime.inspect_image_native("box:latest").unwrap();
    assert_eq!(details.cmd, ["sh"]);
    assert_eq!(details.layers.len(), 2);
    let back = ImageDetails::from_json(&details.to_json().unwrap());
    assert_eq!(back, Ok(details));
    runtime.image_history("box:latest").unwrap();
}

#[test]
#[ignore = "real containers: make check-rust, as root"]
fn images_that_are_here() {
    let images = open().list_images().unwrap();
    let image = images
        .iter()
        .find(|i| i.reference.ends_with("box:latest"))
        .unwrap();
    assert!(
        image
            .digest
            .as_ref()
            .map_or(false, |d| d.starts_with("sha256:")),
        "{image:?}"
    );
    assert!(image.size_bytes > Some(100_000), "{image:?}");
    assert_eq!(image.os.as_deref(), Some("linux"));
}
