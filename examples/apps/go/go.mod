module csvjson

go 1.21
