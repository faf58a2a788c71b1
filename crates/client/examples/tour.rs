//! Log in, add a host, run an app, scale it, read its log, follow what happens.

use pierhead_client::{Addresses, Change, Client, EventQuery, LogOptions, RunOptions, Wait};
use pierhead_wire::{EngineRequest, ImageDescription, LogIn};
use std::{env, error::Error};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let controllers = Addresses::parse(&env::var("URL")?)?;
    let log_in = LogIn { username: env::var("NAME")?, password: env::var("PASSWORD")? };
    let token = Client::new(controllers.clone(), None)?.log_in(&log_in).await?.token.clone();
    let client = Client::new(controllers, Some(token))?;

    let host = EngineRequest { addr: env::var("HOST").ok(), ..EngineRequest::default() };
    println!("added {}", client.add_engine(&host).await?.id);

    // A change carries a key of its own: sent again after a lost answer, it is not done again.
    let image = ImageDescription { name: env::var("IMAGE")?, memory: Some(32.0), ..ImageDescription::default() };
    let two = RunOptions { app: Some("shop".to_owned()), count: Some(2), ..RunOptions::default() };
    client.run(&image, &two, &Change::new(Wait::UntilEnded)).await?;
    client.scale_app("shop", 3, &Change::new(Wait::UntilEnded)).await?;
    for container in client.containers(false).await?.iter() {
        println!("{} runs on {}", container.id, container.engine.id);
        let mut log = client.logs(&container.id, &LogOptions { tail: Some(5), ..LogOptions::default() }).await?;
        while let Some(bytes) = log.next().await? {
            print!("{}", String::from_utf8_lossy(&bytes));
        }
    }

    // The feed has no end; a program that comes back gives the last id that it saw instead of None.
    let query = EventQuery {
        app: Some("shop".to_owned()),
        since: Some("1970-01-01T00:00:00Z".to_owned()),
        ..EventQuery::default()
    };
    let mut feed = client.follow_events(&query, None).await?;
    while let Some((_, event)) = feed.next().await? {
        println!("{} {} {}", event.id, event.kind, event.message);
        if event.kind == "scale-container" {
            break;
        }
    }
    client.delete_app("shop", &Change::new(Wait::UntilEnded)).await?;
    Ok(())
}
