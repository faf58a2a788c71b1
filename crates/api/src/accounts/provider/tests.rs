use super::*;
use crate::accounts::Identity;
use pierhead_controller::Clock;
use pierhead_model::Role;
use pierhead_store::{Embedded, Store};
use std::sync::Arc;

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn role(text: &str) -> RoleName {
    RoleName::parse(text).unwrap()
}

fn person(subject: &str, called: &str) -> OidcPerson {
    OidcPerson { subject: subject.to_owned(), name: Ok(name(called)), full_name: "Li Wei".to_owned() }
}

async fn accounts() -> (tempfile::TempDir, Accounts, Identity) {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Embedded::open(dir.path()).unwrap());
    let accounts = Accounts::new(store, Clock::start()).unwrap();
    accounts.first_start("correct horse").await.unwrap();
    for (who, role) in [("li", "student"), ("ann", "user")] {
        accounts.add(&name(who), None, "correct horse", role, false, None).await.unwrap();
    }
    let admin = Identity { username: name("admin"), permissions: Permission::ALL.into_iter().collect() };
    (dir, accounts, admin)
}

#[tokio::test]
async fn an_account_is_whose_it_was_first() {
    let (_dir, accounts, admin) = accounts().await;
    for (subject, called) in [("s-1", "li"), ("s-2", "ann")] {
        assert_eq!(accounts.of_person(&person(subject, called), None).await.unwrap().username, name(called));
    }
    let other = accounts.of_person(&person("s-3", "li"), None).await;
    assert!(matches!(other, Err(NoAccount::Other(_))), "{other:?}");
    // What they are called at the provider says nothing any more.
    for called in ["ann", "admin", "nobody"] {
        assert_eq!(accounts.of_person(&person("s-1", called), None).await.unwrap().username, name("li"), "{called}");
    }
    let unnamed = OidcPerson { name: Err(NameProblem::Missing), ..person("s-1", "li") };
    assert_eq!(accounts.of_person(&unnamed, None).await.unwrap().username, name("li"));
    // Neither does what they were given since.
    accounts.set_role(&name("ann"), Role::ADMIN, &admin).await.unwrap();
    assert!(accounts.of_person(&person("s-2", "ann"), None).await.unwrap().is_admin());
    // One made anew by that name is nobody's yet.
    accounts.delete(&name("li"), &admin).await.unwrap();
    let gone = accounts.of_person(&person("s-1", "li"), None).await;
    assert!(matches!(gone, Err(NoAccount::Unknown(_))), "{gone:?}");
    accounts.add(&name("li"), None, "correct horse", "student", false, None).await.unwrap();
    assert!(accounts.of_person(&person("s-3", "li"), None).await.is_ok());
    let former = accounts.of_person(&person("s-1", "li"), None).await;
    assert!(matches!(former, Err(NoAccount::Other(_))), "{former:?}");
}

#[tokio::test]
async fn no_name_opens_what_administers() {
    let (_dir, accounts, admin) = accounts().await;
    let hosts = BTreeSet::from([Permission::ReadEngines, Permission::WriteEngines]);
    accounts.add_role(&Role { name: role("hosts"), permissions: hosts }, &admin).await.unwrap();
    accounts.add(&name("hal"), None, "correct horse", "hosts", false, None).await.unwrap();
    for called in ["admin", "hal"] {
        let refused = accounts.of_person(&person("s-1", called), Some(&role("student"))).await;
        assert!(matches!(refused, Err(NoAccount::MayMore(_))), "{called}: {refused:?}");
    }
    accounts.suspend(&name("li"), &admin).await.unwrap();
    let suspended = accounts.of_person(&person("s-1", "li"), None).await;
    assert!(matches!(suspended, Err(NoAccount::Failed(AccountsError::Suspended))), "{suspended:?}");
    assert!(accounts.store.list_all(keys::OIDC_SUBJECTS).await.unwrap().entries.is_empty());
    for administers in [Role::ADMIN, "hosts"] {
        let refused = accounts.of_person(&person("s-1", "new"), Some(&role(administers))).await;
        assert!(matches!(refused, Err(NoAccount::MayMore(_))), "{administers}: {refused:?}");
    }
    assert!(accounts.account(&name("new")).await.is_err());
}

#[tokio::test]
async fn who_has_none_gets_one_only_with_a_role_for_it() {
    let (_dir, accounts, _) = accounts().await;
    let none = accounts.of_person(&person("s-1", "new"), None).await;
    assert!(matches!(none, Err(NoAccount::Unknown(_))), "{none:?}");
    let missing = accounts.of_person(&person("s-1", "new"), Some(&role("tutor"))).await;
    assert!(matches!(missing, Err(NoAccount::Failed(AccountsError::NoRole(_)))), "{missing:?}");
    let made = accounts.of_person(&person("s-1", "new"), Some(&role("student"))).await.unwrap();
    assert_eq!((made.full_name.as_str(), made.role().unwrap().0.as_str()), ("Li Wei", "student"));
    let wrong = accounts.check_password("new", "", None).await;
    assert!(matches!(wrong, Err(AccountsError::WrongPassword)), "it has no password");
    assert_eq!(accounts.of_person(&person("s-1", "other"), None).await.unwrap().id, made.id);
}

#[tokio::test]
async fn of_many_who_come_at_once_one_has_the_account() {
    let (_dir, accounts, _) = accounts().await;
    let racing = (0..6).map(|at| {
        let accounts = accounts.clone();
        tokio::spawn(async move { accounts.of_person(&person(&format!("s-{at}"), "li"), None).await.is_ok() })
    });
    let mut won = 0;
    for racer in racing.collect::<Vec<_>>() {
        won += usize::from(racer.await.unwrap());
    }
    assert_eq!(won, 1);
}
