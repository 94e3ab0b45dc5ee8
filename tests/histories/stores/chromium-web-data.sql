-- alice's Chrome: the Web Data of Chromium 156, made up. A page that answered with form_post was saved as if she
-- had filled it in: the code is there, although no URL ever held it.
PRAGMA page_size=512;
CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
CREATE TABLE token_service(service VARCHAR PRIMARY KEY NOT NULL,encrypted_token BLOB,binding_key BLOB,mtls_token_binding INTEGER);
CREATE TABLE autofill(name VARCHAR, value VARCHAR, value_lower VARCHAR, date_created INTEGER DEFAULT 0, date_last_used INTEGER DEFAULT 0, count INTEGER DEFAULT 1, PRIMARY KEY (name, value));
CREATE TABLE keywords(id INTEGER PRIMARY KEY,short_name VARCHAR NOT NULL,keyword VARCHAR NOT NULL,favicon_url VARCHAR NOT NULL,url VARCHAR NOT NULL,safe_for_autoreplace INTEGER,originating_url VARCHAR,date_created INTEGER DEFAULT 0);
INSERT INTO meta VALUES('version','140');
INSERT INTO autofill VALUES('code','VITqkr2QDF_hCjJWBKHjwenGtGRPEuBbVB9xm0','vitqkr2qdf_hcjjwbkhjwengtgrpeubbvb9xm0',1795165939,1795165939,1);
INSERT INTO autofill VALUES('email','alice@mail.example','alice@mail.example',1795160000,1795160000,3);
INSERT INTO autofill VALUES('name','Alice Example','alice example',1795160000,1795160000,3);
INSERT INTO autofill VALUES('promo_code','SAVE10','save10',1795164500,1795164500,1);
INSERT INTO keywords VALUES(2,'Search','search.example','https://search.example/favicon.ico','https://search.example/?q={searchTerms}',1,'',1795000000);
