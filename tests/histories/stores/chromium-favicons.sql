-- alice's Chrome: the Favicons of Chromium 156 (components/favicon/core/favicon_database.cc), made up. The pages
-- are those of her History: the same URLs once more.
PRAGMA page_size=512;
CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
CREATE TABLE icon_mapping(id INTEGER PRIMARY KEY,page_url LONGVARCHAR NOT NULL,icon_id INTEGER,page_url_type INTEGER DEFAULT 0);
CREATE TABLE favicons(id INTEGER PRIMARY KEY,url LONGVARCHAR NOT NULL,icon_type INTEGER DEFAULT 1);
CREATE TABLE favicon_bitmaps(id INTEGER PRIMARY KEY,icon_id INTEGER NOT NULL,last_updated INTEGER DEFAULT 0,image_data BLOB,width INTEGER DEFAULT 0,height INTEGER DEFAULT 0,last_requested INTEGER DEFAULT 0);
INSERT INTO meta VALUES('version','9');
INSERT INTO favicons VALUES(1,'https://spa.example/favicon.ico',1),(2,'https://news.example/icon.png?v=20261120',1);
INSERT INTO favicon_bitmaps VALUES(7,1,13439638992500000,x'00',16,16,0),(8,2,13439638681291000,x'00',16,16,0);
INSERT INTO icon_mapping VALUES(1,'https://news.example/',2,0),(2,'https://login.idp.example/authorize?response_type=token&client_id=spa-legacy&redirect_uri=https%3A%2F%2Fspa.example%2Fcallback&scope=orders.read%20profile&state=4xlbR1N2RQnb7vqUmLmGOs',1,0),(3,'https://spa.example/callback#access_token=eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjIwMjYtMTAifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmlkcC5leGFtcGxlIiwic3ViIjoiYWxpY2UtODQxMiIsImF1ZCI6Imh0dHBzOi8vYXBpLmV4YW1wbGUiLCJjbGllbnRfaWQiOiJzcGEtbGVnYWN5Iiwic2NvcGUiOiJvcmRlcnMucmVhZCBwcm9maWxlIiwiaWF0IjoxNzk1MTY1MzkyLCJleHAiOjE3OTUxNjg5OTIsImp0aSI6ImF0LTAwMDEifQ.bWFkZSB1cCwgdmVyaWZpZXMgbm93aGVyZTogMuKak2LHROjSkFnI52TBZqoeV15AwJdQsm3sYM8rmbAX-PZdXg&token_type=Bearer&expires_in=3600&scope=orders.read%20profile&state=4xlbR1N2RQnb7vqUmLmGOs',1,0);
