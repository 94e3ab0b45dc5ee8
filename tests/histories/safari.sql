-- bob's Safari: History.db, made up. All hosts are reserved names, all credentials are invented.
PRAGMA user_version=17;
CREATE TABLE history_items(id INTEGER PRIMARY KEY AUTOINCREMENT,url TEXT NOT NULL UNIQUE,domain_expansion TEXT NULL,visit_count INTEGER NOT NULL,daily_visit_counts BLOB NOT NULL,weekly_visit_counts BLOB NULL,autocomplete_triggers BLOB NULL,should_recompute_derived_visit_counts INTEGER NOT NULL,visit_count_score INTEGER NOT NULL,status_code INTEGER NOT NULL DEFAULT 0);
CREATE TABLE history_visits(id INTEGER PRIMARY KEY AUTOINCREMENT,history_item INTEGER NOT NULL REFERENCES history_items(id) ON DELETE CASCADE,visit_time REAL NOT NULL,title TEXT NULL,load_successful BOOLEAN NOT NULL DEFAULT 1,http_non_get BOOLEAN NOT NULL DEFAULT 0,synthesized BOOLEAN NOT NULL DEFAULT 0,redirect_source INTEGER NULL UNIQUE REFERENCES history_visits(id) ON DELETE CASCADE,redirect_destination INTEGER NULL UNIQUE REFERENCES history_visits(id) ON DELETE CASCADE,origin INTEGER NOT NULL DEFAULT 0,generation INTEGER NOT NULL DEFAULT 0,attributes INTEGER NOT NULL DEFAULT 0,score INTEGER NOT NULL DEFAULT 0);
CREATE TABLE history_tombstones(id INTEGER PRIMARY KEY AUTOINCREMENT,start_time REAL NOT NULL,end_time REAL NOT NULL,url TEXT,generation INTEGER NOT NULL DEFAULT 0);
CREATE TABLE metadata(key TEXT NOT NULL UNIQUE,value);
CREATE INDEX history_items__domain_expansion ON history_items(domain_expansion);
CREATE INDEX history_visits__last_visit ON history_visits(history_item,visit_time DESC,synthesized ASC);
CREATE INDEX history_visits__origin ON history_visits(origin,generation);

-- Ordinary pages and look-alikes.
INSERT INTO history_items VALUES(1,'https://recipes.example/soup?sid=summer','recipes',1,x'64000000',NULL,NULL,0,100,0);
INSERT INTO history_visits(id,history_item,visit_time,title,http_non_get,redirect_source) VALUES(1,1,unixepoch('2026-11-19 06:10:00') - 978307200 + 0.250000,'Soup',0,NULL);
INSERT INTO history_items VALUES(2,'https://maps.example/?state=NY&zip=10001','maps',1,x'64000000',NULL,NULL,0,100,0);
INSERT INTO history_visits(id,history_item,visit_time,title,http_non_get,redirect_source) VALUES(2,2,unixepoch('2026-11-19 06:12:09') - 978307200 + 0.750000,'Maps',0,NULL);

-- Code flow with PKCE S256: the chain is joined by redirect_source and redirect_destination.
INSERT INTO history_items VALUES(3,'https://tickets.example/','tickets',1,x'64000000',NULL,NULL,0,100,0);
INSERT INTO history_visits(id,history_item,visit_time,title,http_non_get,redirect_source) VALUES(3,3,unixepoch('2026-11-19 06:20:00') - 978307200 + 0.125000,'Tickets',0,NULL);
INSERT INTO history_items VALUES(4,'https://login.idp.example/oauth2/authorize?response_type=code&client_id=tickets-ios&redirect_uri=https%3A%2F%2Ftickets.example%2Fcb&scope=openid&state=N3rDXAbT_0BwjiHqMCjiL8WhMg&code_challenge=0POr3kFNQk5HFRe55X1N8lZNMz4vKqHODIBXDfeMkKg&code_challenge_method=S256','idp',1,x'64000000',NULL,NULL,0,100,0);
INSERT INTO history_visits(id,history_item,visit_time,title,http_non_get,redirect_source) VALUES(4,4,unixepoch('2026-11-19 06:20:04') - 978307200 + 0.500000,'',0,NULL);
INSERT INTO history_items VALUES(5,'https://tickets.example/cb?code=IDiQ6XFIFMg3iSFll62O5BvQoYybEOfg3e&state=N3rDXAbT_0BwjiHqMCjiL8WhMg','tickets',1,x'64000000',NULL,NULL,0,100,0);
INSERT INTO history_visits(id,history_item,visit_time,title,http_non_get,redirect_source) VALUES(5,5,unixepoch('2026-11-19 06:20:04') - 978307200 + 0.875000,'',0,4);
UPDATE history_visits SET redirect_destination=5 WHERE id=4;
INSERT INTO history_items VALUES(6,'https://tickets.example/mine','tickets',1,x'64000000',NULL,NULL,0,100,0);
INSERT INTO history_visits(id,history_item,visit_time,title,http_non_get,redirect_source) VALUES(6,6,unixepoch('2026-11-19 06:20:05') - 978307200 + 0.125000,'My tickets',0,5);
UPDATE history_visits SET redirect_destination=6 WHERE id=5;

-- Implicit flow, opaque token.
INSERT INTO history_items VALUES(7,'https://login.idp.example/authorize?response_type=token&client_id=gallery&redirect_uri=https%3A%2F%2Fgallery.example%2Fin&scope=photos&state=GstgZBxzi5rUYc','idp',1,x'64000000',NULL,NULL,0,100,0);
INSERT INTO history_visits(id,history_item,visit_time,title,http_non_get,redirect_source) VALUES(7,7,unixepoch('2026-11-19 06:45:10') - 978307200 + 0.500000,'',0,NULL);
INSERT INTO history_items VALUES(8,'https://gallery.example/in#access_token=pHJqwAF0inGmY_gKba_f9Vzn43-Qhe-UIh5FB1SAVACl&token_type=Bearer&expires_in=7200&state=GstgZBxzi5rUYc','gallery',1,x'64000000',NULL,NULL,0,100,0);
INSERT INTO history_visits(id,history_item,visit_time,title,http_non_get,redirect_source) VALUES(8,8,unixepoch('2026-11-19 06:45:11') - 978307200 + 0.125000,'Gallery',0,7);
UPDATE history_visits SET redirect_destination=8 WHERE id=7;
INSERT INTO history_tombstones VALUES(1,unixepoch('2026-11-01 00:00:00') - 978307200 + 0.000000,unixepoch('2026-11-02 00:00:00') - 978307200 + 0.000000,NULL,0);
