-- alice's Chrome: the Top Sites of Chromium 156 (components/history/core/browser/top_sites_database.cc), made up.
PRAGMA page_size=512;
CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
CREATE TABLE top_sites(url TEXT NOT NULL PRIMARY KEY,url_rank INTEGER NOT NULL,title TEXT NOT NULL);
INSERT INTO meta VALUES('version','5');
INSERT INTO top_sites VALUES('https://news.example/',0,'News'),('https://spa.example/callback#access_token=eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjIwMjYtMTAifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmlkcC5leGFtcGxlIiwic3ViIjoiYWxpY2UtODQxMiIsImF1ZCI6Imh0dHBzOi8vYXBpLmV4YW1wbGUiLCJjbGllbnRfaWQiOiJzcGEtbGVnYWN5Iiwic2NvcGUiOiJvcmRlcnMucmVhZCBwcm9maWxlIiwiaWF0IjoxNzk1MTY1MzkyLCJleHAiOjE3OTUxNjg5OTIsImp0aSI6ImF0LTAwMDEifQ.bWFkZSB1cCwgdmVyaWZpZXMgbm93aGVyZTogMuKak2LHROjSkFnI52TBZqoeV15AwJdQsm3sYM8rmbAX-PZdXg&token_type=Bearer&expires_in=3600&scope=orders.read%20profile&state=4xlbR1N2RQnb7vqUmLmGOs',1,'Orders');
