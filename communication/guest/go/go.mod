module wasmsandbox

go 1.24
