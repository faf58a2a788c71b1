use super::*;

fn record(names: &Names) -> Record {
    Record {
        dir: names.dir().to_owned(),
        made_dir: true,
        phase: Phase::Starting,
        subnet: Some(4),
        dockerd_args: vec!["--label=a=b".to_owned()],
        sockets_only: false,
        quotas: false,
        hosts: vec![HostRecord::new(4, 1), HostRecord::new(4, 2)],
        services: vec![],
        etcd: None,
    }
}

fn folder() -> (tempfile::TempDir, Names) {
    let dir = tempfile::tempdir().unwrap();
    let names = Names::of(dir.path()).unwrap();
    fs::create_dir(names.hosts_dir()).unwrap();
    (dir, names)
}

#[test]
fn what_was_written_is_read() {
    let (_dir, names) = folder();
    assert_eq!(Record::read(&names).unwrap(), None);
    record(&names).write(&names).unwrap();
    assert_eq!(Record::read(&names).unwrap(), Some(record(&names)));
    assert!(!Record::draft(&names).exists());
    assert_eq!(record(&names).hosts[1].address.to_string(), "10.77.4.12");
}

#[test]
fn changes_of_many_threads_all_arrive() {
    let (_dir, names) = folder();
    let mut empty = record(&names);
    empty.hosts.clear();
    empty.write(&names).unwrap();
    thread::scope(|scope| {
        for index in 1..=8 {
            let names = &names;
            scope.spawn(move || {
                Record::change(names, |record| {
                    record.hosts.push(HostRecord::new(4, index));
                    Ok(())
                })
                .unwrap();
            });
        }
    });
    let mut indexes: Vec<_> = Record::existing(&names).unwrap().hosts.iter().map(|host| host.index).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, (1..=8).collect::<Vec<_>>());
}

#[test]
fn a_failed_change_changes_nothing() {
    let (_dir, names) = folder();
    record(&names).write(&names).unwrap();
    let failed = Record::change(&names, |record| {
        record.phase = Phase::Up;
        record.host_mut("host-9").map(|_| ())
    });
    let message = failed.unwrap_err().to_string();
    assert_eq!(message, r#"the pool has no host "host-9"; it has host-1, host-2"#);
    assert_eq!(Record::existing(&names).unwrap().phase, Phase::Starting);
}

#[test]
fn broken_and_moved_records_are_refused() {
    let (dir, names) = folder();
    fs::write(Record::file(&names), "{\"dir\": ").unwrap();
    assert!(matches!(Record::read(&names), Err(Error::ReadRecord { .. })));
    record(&names).write(&names).unwrap();
    let copy = tempfile::tempdir().unwrap();
    fs::copy(Record::file(&names), copy.path().join("pool.json")).unwrap();
    let refused = Record::read(&Names::of(copy.path()).unwrap()).unwrap_err();
    assert!(matches!(&refused, Error::Moved { made_in, .. } if made_in == &dir.path().canonicalize().unwrap()));
}

#[test]
fn the_lock_of_a_pool_is_exclusive_and_follows_the_folder() {
    let (dir, _names) = folder();
    let held = lock_pool(dir.path(), Duration::ZERO).unwrap();
    assert!(matches!(lock_pool(dir.path(), Duration::ZERO), Err(Error::Busy { .. })));
    assert!(is_current(&held, dir.path()));
    let away = dir.path().with_extension("away");
    fs::rename(dir.path(), &away).unwrap();
    fs::create_dir(dir.path()).unwrap();
    assert!(!is_current(&held, dir.path()));
    drop(lock_pool(dir.path(), Duration::ZERO).unwrap());
    fs::remove_dir_all(&away).unwrap();
    drop(held);
}

#[test]
fn running_lists_only_the_living() {
    let (_dir, names) = folder();
    let mut record = record(&names);
    assert!(record.running().is_empty());
    record.hosts[1].engine = ProcessId::of(std::process::id());
    assert_eq!(record.running(), ["host-2"]);
}
