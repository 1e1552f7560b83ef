//! `meetme admin`: the first organization, user and key, and a way back in, straight in the database.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use meetme_app::{
    App,
    identity::{self, Giver},
    templates,
};
use meetme_base::Secret;
use meetme_model::access::{Hash, Membership, Organization, User};
use meetme_store::{Context, Filter, Tx};

use crate::{config::Config, serve};

/// What an administrator does without a running server, or beside one.
#[derive(Args)]
pub struct AdminArgs {
    /// The directory the server keeps its files in.
    #[arg(long, default_value = "data", global = true)]
    data: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Makes the operator's organization, its first user and a key; prints the key.
    Setup {
        /// The organization that runs this installation.
        #[arg(long)]
        organization: String,
        /// The first user, who may do everything.
        #[arg(long)]
        user: String,
        /// The user's password; read from the first line of standard input when it is `-`.
        #[arg(long, default_value = "-")]
        password: String,
    },
    /// Makes a customer's organization below the operator's, its owner and a key; prints the key.
    Organization {
        /// The customer.
        #[arg(long)]
        name: String,
        /// The customer's first user, who may do everything in this organization and nothing outside it.
        #[arg(long)]
        user: String,
        /// The user's password; read from the first line of standard input when it is `-`, and none when not given.
        #[arg(long)]
        password: Option<String>,
    },
    /// Puts the router templates that come with Meetme into a book, or brings those that are there up to date.
    Templates {
        /// The organization whose book it is; the operator's when not given.
        #[arg(long)]
        organization: Option<String>,
    },
    /// Makes another key for a user and prints it.
    Key {
        /// The user.
        #[arg(long)]
        user: String,
        /// What the key is for.
        #[arg(long, default_value = "made by admin")]
        name: String,
        /// Whether the key may only read.
        #[arg(long)]
        read_only: bool,
    },
    /// Sets a user's password.
    Password {
        /// The user.
        #[arg(long)]
        user: String,
        /// The password; read from the first line of standard input when it is `-`.
        #[arg(long, default_value = "-")]
        password: String,
    },
}

/// Does it.
pub async fn run(args: AdminArgs) -> Result<()> {
    let config = Config::load(args.config.as_deref(), std::env::vars())?;
    let app = serve::open(&config, &args.data)?;
    let context =
        Context { actor: meetme_store::Actor { by: None, name: "admin".into(), dialect: "cli" }, ..Context::system() };
    match args.what {
        What::Setup { organization, user, password } => {
            let password = read_password(password)?;
            let inner = app.clone();
            let made = app
                .store()
                .write(context, move |tx| identity::first(&inner, tx, &organization, &user, &password))
                .await?;
            print_key(&made.key, &made.user.spec.username);
        }
        What::Organization { name, user, password } => {
            let password = password.map(read_password).transpose()?.map(|p| identity::hash_password(&p)).transpose()?;
            let inner = app.clone();
            let made =
                app.store().write(context, move |tx| customer(&inner, tx, &name, &user, password.clone())).await?;
            print_key(&made.0, &made.1);
        }
        What::Key { user, name, read_only } => {
            let inner = app.clone();
            let made = app
                .store()
                .write(context, move |tx| {
                    let owner = find(tx, &user)?;
                    let new = identity::NewKey { name: name.clone(), read_only, ..identity::NewKey::default() };
                    let key = identity::create_key(&inner, tx, Giver::System, owner.id.any(), &new)?;
                    Ok::<_, meetme_app::Error>((key, owner.spec.username))
                })
                .await?;
            print_key(&made.0, &made.1);
        }
        What::Templates { organization } => {
            let install = move |tx: &mut Tx<'_>| {
                let filter = match &organization {
                    Some(name) => Filter::eq("name", name.as_str()),
                    None => Filter::eq("form", "operator"),
                };
                let book = tx.one::<Organization>(&filter)?.ok_or_else(|| {
                    let name = organization.as_deref().unwrap_or("the operator");
                    meetme_app::Error::missing(meetme_base::Kind::new("organization"), name)
                })?;
                Ok::<_, meetme_app::Error>((templates::install(tx, book.id.any())?, book.spec.name))
            };
            let (written, name) = app.store().write(context, install).await?;
            println!("{written} of {} templates were written into the book of {name}.", templates::SHIPPED.len());
        }
        What::Password { user, password } => set_password(&app, context, user, read_password(password)?).await?,
    }
    Ok(())
}

async fn set_password(app: &App, context: Context, user: String, password: Secret<String>) -> Result<()> {
    let hash = identity::hash_password(&password)?;
    app.store()
        .write(context, move |tx| {
            let mut found = find(tx, &user)?;
            let spec = User { password: Some(hash.clone()), ..found.spec.clone() };
            Ok::<_, meetme_app::Error>(tx.save(&mut found, spec)?)
        })
        .await?;
    println!("The password is set.");
    Ok(())
}

fn customer(
    app: &App,
    tx: &mut Tx<'_>,
    name: &str,
    username: &str,
    password: Option<Hash>,
) -> Result<(identity::Issued, String), meetme_app::Error> {
    let operator = tx.one::<Organization>(&Filter::eq("form", "operator"))?.ok_or_else(|| {
        meetme_app::Error::conflict("set_up", "This installation has no operator yet: run `meetme admin setup` first.")
    })?;
    let organization = Organization { name: name.to_owned(), parent: Some(operator.id), ..Organization::default() };
    let organization = tx.create(operator.id.any(), organization)?.id;
    let user = tx.create(organization.any(), User { password, ..User::new(username, organization) })?;
    let roles = vec![identity::builtin_role(tx, "owner")?];
    let scope = organization.any();
    tx.create(scope, Membership { user: user.id, scope, roles, title: None })?;
    let new = identity::NewKey { name: "first".to_owned(), ..identity::NewKey::default() };
    Ok((identity::create_key(app, tx, Giver::System, user.id.any(), &new)?, user.spec.username))
}

fn find(tx: &mut Tx<'_>, username: &str) -> Result<meetme_store::Object<User>, meetme_app::Error> {
    tx.one::<User>(&Filter::eq("username_key", meetme_store::fold(username)))?
        .ok_or_else(|| meetme_app::Error::missing(meetme_base::Kind::new("user"), username))
}

fn print_key(key: &identity::Issued, user: &str) {
    println!("user    {user}");
    println!("key     {}", key.key.spec.public);
    println!("secret  {}", key.secret.expose());
}

fn read_password(given: String) -> Result<Secret<String>> {
    let text = if given == "-" {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        given
    };
    if text.len() < 8 {
        bail!("a password has at least 8 characters");
    }
    Ok(Secret::new(text))
}
