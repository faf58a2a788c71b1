//! Leadership on a store that can't be reached for a while, or whose answers are lost.

#[cfg(test)]
mod unreachable {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use async_trait::async_trait;
    use pierhead_store::leadership::Candidate;
    use pierhead_store::{Embedded, Entry, Error, LeaseId, Listing, Page, Result, Revision, Store, Transaction, Watch};
    use tempfile::TempDir;

    const SHORT: Duration = Duration::from_secs(1);
    const LONG: Duration = Duration::from_secs(3600);
    const DEADLINE: Duration = Duration::from_secs(30);

    /// A store behind a line that can be cut.
    struct Line {
        store: Arc<Embedded>,
        /// Requests fail at once.
        refuses: AtomicBool,
        /// Requests are never answered.
        hangs: AtomicBool,
        /// Commits happen, but whoever asked is told that they may not have.
        loses_answers: AtomicBool,
        _directory: TempDir,
    }

    fn line() -> Arc<Line> {
        let directory = tempfile::tempdir().unwrap();
        Arc::new(Line {
            store: Arc::new(Embedded::open(directory.path()).unwrap()),
            refuses: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
            loses_answers: AtomicBool::new(false),
            _directory: directory,
        })
    }

    fn unavailable() -> Error {
        Error::Unavailable { reason: "the line is cut".to_owned() }
    }

    impl Line {
        async fn pass(&self) -> Result<&Embedded> {
            if self.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            if self.refuses.load(Ordering::SeqCst) { Err(unavailable()) } else { Ok(&*self.store) }
        }
    }

    #[async_trait]
    impl Store for Line {
        fn cluster_id(&self) -> &str {
            self.store.cluster_id()
        }

        async fn get(&self, key: &str) -> Result<Option<Entry>> {
            self.pass().await?.get(key).await
        }

        async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
            self.pass().await?.list(prefix, after, limit).await
        }

        async fn list_all(&self, prefix: &str) -> Result<Listing> {
            self.pass().await?.list_all(prefix).await
        }

        async fn commit(&self, transaction: Transaction) -> Result<Revision> {
            let revision = self.pass().await?.commit(transaction).await?;
            if self.loses_answers.load(Ordering::SeqCst) { Err(unavailable()) } else { Ok(revision) }
        }

        async fn watch(&self, prefix: &str, after: Revision) -> Result<Watch> {
            self.pass().await?.watch(prefix, after).await
        }

        async fn grant(&self, ttl: Duration) -> Result<LeaseId> {
            self.pass().await?.grant(ttl).await
        }

        async fn keep_alive(&self, lease: LeaseId) -> Result<()> {
            self.pass().await?.keep_alive(lease).await
        }

        async fn revoke(&self, lease: LeaseId) -> Result<()> {
            self.pass().await?.revoke(lease).await
        }

        async fn compact(&self, before: Revision) -> Result<()> {
            self.pass().await?.compact(before).await
        }
    }

    fn candidate(store: Arc<dyn Store>, who: &str, ttl: Duration) -> Candidate {
        Candidate::new(store, "controller", who, ttl)
    }

    async fn within<T>(future: impl Future<Output = T>) -> T {
        tokio::time::timeout(DEADLINE, future).await.expect("it never came")
    }

    /// The holder must be sure of its end before the rival, who has a line of its own, begins.
    async fn the_holder_ends_first(cut: impl Fn(&Line)) {
        let line = line();
        let held = within(candidate(line.clone(), "cut off", SHORT).campaign()).await.unwrap();
        let rival = candidate(line.store.clone(), "rival", LONG);
        let standing = held.standing();
        let rival = tokio::spawn(async move {
            let leadership = rival.campaign().await.unwrap();
            // Not when the holder was told: that may be late, and does not matter.
            (leadership, standing.is_held())
        });
        cut(&line);
        within(held.lost()).await;
        assert!(!held.is_held());
        let (leadership, was_held) = within(rival).await.unwrap();
        assert!(!was_held, "two led");
        assert!(leadership.term() > held.term());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_refusing_line_ends_it_in_time() {
        the_holder_ends_first(|line| line.refuses.store(true, Ordering::SeqCst)).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_hanging_line_ends_it_in_time() {
        the_holder_ends_first(|line| line.hangs.store(true, Ordering::SeqCst)).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_short_cut_is_got_over() {
        let line = line();
        let ttl = 3 * SHORT;
        let held = within(candidate(line.clone(), "one", ttl).campaign()).await.unwrap();
        let start = Instant::now();
        line.refuses.store(true, Ordering::SeqCst);
        // One renewal fails in this time.
        assert!(tokio::time::timeout(ttl / 3, held.lost()).await.is_err());
        line.refuses.store(false, Ordering::SeqCst);
        assert!(tokio::time::timeout(ttl, held.lost()).await.is_err(), "after {:?}", start.elapsed());
        assert!(held.is_held());
    }

    /// The claim happened, though its candidate doesn't know: it must not block the name for its whole time.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_claim_whose_answer_was_lost_is_given_up() {
        let line = line();
        line.loses_answers.store(true, Ordering::SeqCst);
        let lost = within(candidate(line.clone(), "one", LONG).campaign()).await;
        assert!(matches!(lost, Err(Error::Unavailable { .. })), "{lost:?}");
        line.loses_answers.store(false, Ordering::SeqCst);
        within(candidate(line.clone(), "one", LONG).campaign()).await.unwrap();
    }
}
