//! What a runtime answers that can do only what the interface requires, and what the mock's streams
//! say that a test filled: the interface's own tests of that.
use std::fs::File;
use std::os::unix::io::AsFd;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use caisson::{
    ArchivePutOptions, CommitOptions, ContainerId, ContainerInspectDetails,
    ContainerResourceUpdate, Error, ExecOptions, ImageDetails, LogChunk, LogStream,
    LogsStreamOptions, OverlayAttachKind, Progress, Result, Runtime, Service, StatsSample,
    WaitCondition, WaitReason,
};

fn id(service: &str) -> ContainerId {
    ContainerId::new(service, 0).unwrap()
}

fn null() -> File {
    File::open("/dev/null").unwrap()
}

/// Asserts that the bare runtime has no such method, by the words.
fn is_unsupported<T: std::fmt::Debug>(
    method: &str,
    f: impl FnOnce(&Runtime, &ContainerId) -> Result<T>,
) {
    let runtime = Runtime::bare().unwrap();
    let error = f(&runtime, &id("stream-test")).unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "Operation not supported by this runtime: {method} is not supported by this runtime"
        )
    );
}

macro_rules! unsupported {
    ($($name:ident: $method:literal, $f:expr;)*) => {
        $(
            #[test]
            fn $name() {
                is_unsupported($method, $f);
            }
        )*
    };
}

unsupported! {
    default_logs_stream_is_unsupported: "logs_stream",
        |rt, id| rt.logs_stream(id, &LogsStreamOptions::default());
    default_stats_stream_is_unsupported: "stats_stream",
        |rt, id| rt.stats_stream(id, Duration::ZERO);
    default_archive_get_is_unsupported: "archive_get",
        |rt, id| rt.archive_get(id, "/etc/hosts", null().as_fd());
    default_archive_put_is_unsupported: "archive_put",
        |rt, id| rt.archive_put(id, "/tmp", null().as_fd(), ArchivePutOptions::default());
    default_archive_head_is_unsupported: "archive_head", |rt, id| rt.archive_head(id, "/etc/hosts");
    default_exec_pty_is_unsupported: "exec_pty", |rt, id| {
        let options = ExecOptions { command: vec!["sh".into()], tty: true, ..Default::default() };
        rt.exec_pty(id, &options)
    };
    default_inspect_image_native_is_unsupported: "inspect_image_native",
        |rt, _| rt.inspect_image_native("alpine");
    default_image_history_is_unsupported: "image_history", |rt, _| rt.image_history("alpine");
    default_search_images_is_unsupported: "search_images", |rt, _| rt.search_images("nginx", 10);
    default_save_images_is_unsupported: "save_images",
        |rt, _| rt.save_images(&["alpine"], null().as_fd());
    default_load_images_is_unsupported: "load_images",
        |rt, _| rt.load_images(null().as_fd(), false);
    default_import_image_is_unsupported: "import_image",
        |rt, _| rt.import_image(null().as_fd(), "a", None);
    default_export_container_fs_is_unsupported: "export_container_fs",
        |rt, id| rt.export_container_fs(id, null().as_fd());
    default_commit_container_is_unsupported: "commit_container",
        |rt, id| rt.commit_container(id, &CommitOptions::default());
    default_list_images_is_unsupported: "list_images", |rt, _| rt.list_images();
    default_remove_image_is_unsupported: "remove_image", |rt, _| rt.remove_image("alpine", false);
    default_prune_images_is_unsupported: "prune_images", |rt, _| rt.prune_images();
    default_kill_container_is_unsupported: "kill_container", |rt, id| rt.kill_container(id, None);
    default_tag_image_is_unsupported: "tag_image", |rt, _| rt.tag_image("a", "b");
    default_rename_container_is_unsupported: "rename_container",
        |rt, id| rt.rename_container(id, "other");
    default_pause_container_is_unsupported: "pause_container", |rt, id| rt.pause_container(id);
    default_unpause_container_is_unsupported: "unpause_container",
        |rt, id| rt.unpause_container(id);
    default_update_container_resources_is_unsupported: "update_container_resources",
        |rt, id| rt.update_container_resources(id, &ContainerResourceUpdate::default());
    default_top_container_is_unsupported: "top_container", |rt, id| rt.top_container(id, &[]);
    default_changes_container_is_unsupported: "changes_container",
        |rt, id| rt.changes_container(id);
    default_port_mappings_container_is_unsupported: "port_mappings_container",
        |rt, id| rt.port_mappings_container(id);
    default_prune_containers_is_unsupported: "prune_containers", |rt, _| rt.prune_containers();
    default_write_stdin_is_unsupported: "write_stdin", |rt, id| rt.write_stdin(id, b"x", None);
    default_close_stdin_is_unsupported: "close_stdin", |rt, id| rt.close_stdin(id);
}

/// Those whose default is an answer.
#[test]
fn defaults_that_answer() {
    let runtime = Runtime::bare().unwrap();
    let id = id("defaults");
    assert_eq!(runtime.name(), "bare");
    assert_eq!(runtime.overlay_attach_kind(), OverlayAttachKind::HostNetns);
    assert_eq!(runtime.list_containers(), Ok(vec![]));
    assert_eq!(
        runtime.inspect_detailed(&id),
        Ok(ContainerInspectDetails::default())
    );
    assert_eq!(runtime.get_container_port_override(&id), Ok(None));
    runtime.sync_container_volumes(&id).unwrap();

    let service = Service::from_yaml("image: {name: 'test:latest'}\n").unwrap();
    runtime.create_container(&id, &service).unwrap();
    runtime.start_container(&id).unwrap();
    let outcome = runtime
        .wait_outcome_with_condition(&id, WaitCondition::Removed, Some(Duration::from_secs(1)))
        .unwrap();
    assert_eq!(outcome.reason, WaitReason::Exited);
    let options = ExecOptions {
        command: vec!["echo".into(), "a".into()],
        user: Some("nobody".into()),
        ..ExecOptions::default()
    };
    let result = runtime.exec_with_opts(&id, &options, None).unwrap();
    assert_eq!(result.stdout, b"echo a");
}

#[test]
fn conditions_by_name() {
    assert_eq!("".parse(), Ok(WaitCondition::NotRunning));
    assert_eq!("next-exit".parse(), Ok(WaitCondition::NextExit));
    assert!("never".parse::<WaitCondition>().is_err());
}

// ---- progress -----------------------------------------------------------------------------------

fn done(digest: Option<&str>) -> Progress {
    Progress::Done {
        references: vec!["alpine:latest".into()],
        digest: digest.map(String::from),
    }
}

fn status(id: Option<&str>, status: &str) -> Progress {
    Progress::Status {
        id: id.map(String::from),
        status: status.into(),
        progress: None,
        current: 0,
        total: 0,
    }
}

#[test]
fn default_pull_image_stream_synthesizes_progress() {
    let runtime = Runtime::bare().unwrap();
    let events: Result<Vec<_>> = runtime
        .pull_image_stream("alpine:latest", None)
        .unwrap()
        .collect();
    assert_eq!(
        events,
        Ok(vec![status(None, "Pulling from alpine:latest"), done(None)])
    );
}

#[test]
fn load_progress_serializes_with_kind_discriminator() {
    assert_eq!(
        status(Some("abc"), "Loading layer").to_json().as_deref(),
        Ok("{\"kind\":\"status\",\"id\":\"abc\",\"status\":\"Loading layer\"}")
    );
    assert_eq!(
        done(None).to_json().as_deref(),
        Ok("{\"kind\":\"done\",\"references\":[\"alpine:latest\"]}")
    );
}

#[test]
fn mock_pull_image_stream_yields_queued_progress_in_order() {
    let runtime = Runtime::mock().unwrap();
    let queued = vec![
        status(Some("layer-1"), "Pulling fs layer"),
        Progress::Status {
            id: Some("layer-1".into()),
            status: "Downloading".into(),
            progress: Some("[==>  ] 1MB/4MB".into()),
            current: 1 << 20,
            total: 4 << 20,
        },
        done(Some("sha256:deadbeef")),
    ];
    for event in &queued {
        runtime.mock_queue_progress("alpine:latest", event).unwrap();
    }
    let stream = runtime.pull_image_stream("alpine:latest", None).unwrap();
    drop(runtime);
    assert_eq!(stream.collect::<Result<Vec<_>>>(), Ok(queued));
}

// ---- logs and samples ---------------------------------------------------------------------------

fn line(stream: LogStream, text: &str) -> LogChunk {
    LogChunk {
        stream,
        bytes: text.into(),
        timestamp: None,
    }
}

#[test]
fn mock_logs_stream_yields_queued_items_in_order() {
    let (runtime, id) = (Runtime::mock().unwrap(), id("logs-order"));
    let queued = vec![
        line(LogStream::Stdout, "first"),
        line(LogStream::Stderr, "second"),
        line(LogStream::Stdout, "third"),
    ];
    for chunk in &queued {
        runtime.mock_queue_log(&id, chunk).unwrap();
    }
    let stream = runtime
        .logs_stream(&id, &LogsStreamOptions::default())
        .unwrap();
    assert_eq!(stream.collect::<Result<Vec<_>>>(), Ok(queued));
}

#[test]
fn mock_logs_stream_empty_queue_ends_immediately_when_not_follow() {
    let (runtime, id) = (Runtime::mock().unwrap(), id("logs-empty"));
    let mut options = LogsStreamOptions::default();
    assert!(runtime.logs_stream(&id, &options).unwrap().next().is_none());

    // One that follows waits.
    options.follow = true;
    runtime
        .mock_queue_log(&id, &line(LogStream::Stdout, "line"))
        .unwrap();
    let mut stream = runtime.logs_stream(&id, &options).unwrap();
    assert_eq!(stream.next(), Some(Ok(line(LogStream::Stdout, "line"))));
    let soon = Some(Duration::from_millis(10));
    assert!(matches!(stream.next_within(soon), Poll::Pending));
}

#[test]
fn mock_stats_stream_yields_queued_samples_in_order() {
    let (runtime, id) = (Runtime::mock().unwrap(), id("stats-order"));
    let queued: Vec<_> = [100, 200, 300]
        .iter()
        .map(|cpu_total_ns| StatsSample {
            cpu_total_ns: *cpu_total_ns,
            cpu_system_ns: 1,
            online_cpus: 2,
            mem_used_bytes: 3,
            mem_limit_bytes: 4,
            net_rx_bytes: 5,
            net_tx_bytes: 6,
            blkio_read_bytes: 7,
            blkio_write_bytes: 8,
            pids_current: 9,
            pids_limit: Some(10),
            timestamp: SystemTime::UNIX_EPOCH + Duration::from_secs(11),
        })
        .collect();
    for sample in &queued {
        runtime.mock_queue_sample(&id, sample).unwrap();
    }
    let stream = runtime.stats_stream(&id, Duration::ZERO).unwrap();
    assert_eq!(stream.collect::<Result<Vec<_>>>(), Ok(queued));
}

#[test]
fn queues_are_of_mocks() {
    let runtime = Runtime::bare().unwrap();
    let error = runtime.mock_queue_log(&id("queue"), &line(LogStream::Stdout, "x"));
    assert!(matches!(error, Err(Error::InvalidSpec(_))), "{error:?}");
}

// ---- types --------------------------------------------------------------------------------------

#[test]
fn commit_options_default_is_no_op_pause_false() {
    let options = CommitOptions::default();
    assert!(!options.pause && options.repo.is_none() && options.changes.is_none());
}

#[test]
fn image_inspect_info_default_round_trips_via_serde() {
    let nothing = ImageDetails::default();
    assert_eq!(
        ImageDetails::from_json(&nothing.to_json().unwrap()),
        Ok(nothing)
    );
    let details = ImageDetails {
        id: Some("sha256:1".into()),
        size_bytes: Some(0),
        repo_tags: vec!["a:b".into(), "c:d".into()],
        labels: vec!["k=v".into()],
        user: Some("me".into()),
        ..ImageDetails::default()
    };
    assert_eq!(
        ImageDetails::from_json(&details.to_json().unwrap()),
        Ok(details)
    );
}

#[test]
fn log_channel_serializes_as_snake_case() {
    assert_eq!(LogStream::Stdin.as_str(), "stdin");
    assert_eq!(LogStream::Stdout.as_str(), "stdout");
    assert_eq!(LogStream::Stderr.as_str(), "stderr");
}
