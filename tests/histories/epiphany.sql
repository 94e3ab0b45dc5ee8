-- carol's GNOME Web: ephy-history.db, made up. All hosts are reserved names, all credentials are invented.
CREATE TABLE hosts(id INTEGER PRIMARY KEY,url LONGVARCAR,title LONGVARCAR,visit_count INTEGER DEFAULT 0 NOT NULL,zoom_level REAL DEFAULT 1.0);
CREATE TABLE urls(id INTEGER PRIMARY KEY,host INTEGER NOT NULL REFERENCES hosts(id) ON DELETE CASCADE,url LONGVARCAR,title LONGVARCAR,sync_id LONGVARCAR,visit_count INTEGER DEFAULT 0 NOT NULL,typed_count INTEGER DEFAULT 0 NOT NULL,last_visit_time INTEGER,thumbnail_update_time INTEGER DEFAULT 0,hidden_from_overview INTEGER DEFAULT 0);
CREATE TABLE visits(id INTEGER PRIMARY KEY,url INTEGER NOT NULL REFERENCES urls(id) ON DELETE CASCADE,visit_time INTEGER NOT NULL,visit_type INTEGER NOT NULL,referring_visit INTEGER);

-- Ordinary pages and look-alikes.
INSERT INTO hosts VALUES(1,'https://news.example/','news.example',1,1.0);
INSERT INTO urls(id,host,url,title,visit_count,last_visit_time) VALUES(1,1,'https://news.example/','News',1,unixepoch('2026-11-17 16:00:00') * 1000000 + 500000);
INSERT INTO visits VALUES(1,1,unixepoch('2026-11-17 16:00:00') * 1000000 + 500000,0,0);
INSERT INTO hosts VALUES(2,'https://store.example/','store.example',1,1.0);
INSERT INTO urls(id,host,url,title,visit_count,last_visit_time) VALUES(2,2,'https://store.example/deals?code=WINTER25&state=new','Deals',1,unixepoch('2026-11-17 16:01:10') * 1000000 + 100000);
INSERT INTO visits VALUES(2,2,unixepoch('2026-11-17 16:01:10') * 1000000 + 100000,0,0);

-- Implicit flow. GNOME Web keeps the page that was loaded, not the hops before it, and no chain.
INSERT INTO hosts VALUES(3,'https://calendar.example/','calendar.example',1,1.0);
INSERT INTO urls(id,host,url,title,visit_count,last_visit_time) VALUES(3,3,'https://calendar.example/cb#access_token=eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjIwMjYtMTAifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmlkcC5leGFtcGxlIiwic3ViIjoiY2Fyb2wtMTE3NyIsImF1ZCI6Imh0dHBzOi8vYXBpLmV4YW1wbGUiLCJjbGllbnRfaWQiOiJjYWxlbmRhciIsInNjb3BlIjoiY2FsZW5kYXIiLCJpYXQiOjE3OTQ5MzE4MDAsImV4cCI6MTc5NDkzNTQwMCwianRpIjoiYXQtMDAwMyJ9.bWFkZSB1cCwgdmVyaWZpZXMgbm93aGVyZTogLjcoN1BnGulQe_v1uSwz1rl4UaTt8FgMvqBgepZ3iUtzIIyDPQ&token_type=bearer&expires_in=3600&state=FGzJIKVyNIPyqfrObY','Calendar',1,unixepoch('2026-11-17 16:10:00') * 1000000 + 730000);
INSERT INTO visits VALUES(3,3,unixepoch('2026-11-17 16:10:00') * 1000000 + 730000,0,0);

-- A page that had no title, so that its URL stands in its place.
INSERT INTO hosts VALUES(4,'https://notes.example/','notes.example',1,1.0);
INSERT INTO urls(id,host,url,title,visit_count,last_visit_time) VALUES(4,4,'https://notes.example/login/link?token=_c8iAcHtNntE1a3kG3dcj3-Lu5gSj_de1xPb2MqX','https://notes.example/login/link?token=_c8iAcHtNntE1a3kG3dcj3-Lu5gSj_de1xPb2MqX',1,unixepoch('2026-11-17 16:30:21') * 1000000 + 40000);
INSERT INTO visits VALUES(4,4,unixepoch('2026-11-17 16:30:21') * 1000000 + 40000,0,0);

-- Code flow: the callback page is the one that was loaded.
INSERT INTO hosts VALUES(5,'https://forum.example/','forum.example',1,1.0);
INSERT INTO urls(id,host,url,title,visit_count,last_visit_time) VALUES(5,5,'https://forum.example/auth/oidc/callback?code=XJ4QQJymbFpzT61uL1j6i_u4grEGU9CIyQfVWm79WZ&state=D6SNboBqOW_auoQ9ovjDVZld&session_state=AyJu1pJjmPiHAEGm19Eg','Forum',1,unixepoch('2026-11-17 17:02:00') * 1000000 + 990000);
INSERT INTO visits VALUES(5,5,unixepoch('2026-11-17 17:02:00') * 1000000 + 990000,0,0);
