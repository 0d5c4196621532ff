/*
 * The loader's files: a directory on the volume that the firmware started the loader from.
 */
#include "boot/uefi.h"

#define DIRECTORY L"\\kin"
#define FIRST     L"initrd.cpio"
#define SUFFIX    L".cpio"

EFI_FILE *volume_open(EFI_HANDLE loader)
{
    EFI_LOADED_IMAGE *image;
    EFI_FILE *root, *directory;
    EFI_STATUS status =
        uefi_call_wrapper(BS->HandleProtocol, 3, loader, &LoadedImageProtocol, (void **)&image);

    if (EFI_ERROR(status))
        fail(L"the firmware does not say where the loader came from: %r", status);
    root = LibOpenRoot(image->DeviceHandle);
    if (!root)
        fail(L"the volume of the loader can't be opened");
    status = uefi_call_wrapper(root->Open, 5, root, &directory, DIRECTORY, EFI_FILE_MODE_READ, 0);
    if (EFI_ERROR(status))
        fail(L"%s: %r", DIRECTORY, status);
    return directory;
}

struct file_data volume_read(EFI_FILE *directory, const CHAR16 *name)
{
    struct file_data result;
    EFI_FILE *file;
    EFI_FILE_INFO *info;
    UINTN size;
    EFI_STATUS status = uefi_call_wrapper(directory->Open, 5, directory, &file, (CHAR16 *)name,
                                          EFI_FILE_MODE_READ, 0);

    if (EFI_ERROR(status))
        fail(L"%s\\%s: %r", DIRECTORY, name, status);
    info = LibFileInfo(file);
    if (!info || (info->Attribute & EFI_FILE_DIRECTORY))
        fail(L"%s\\%s is not a file", DIRECTORY, name);
    size = info->FileSize;
    FreePool(info);
    result.data = allocate_pages(size + 1, EfiLoaderData, name);
    result.size = size;
    status = uefi_call_wrapper(file->Read, 3, file, &result.size, result.data);
    if (EFI_ERROR(status) || result.size != size)
        fail(L"%s\\%s: read %d of %d bytes: %r", DIRECTORY, name, result.size, size, status);
    uefi_call_wrapper(file->Close, 1, file);
    return result;
}

static bool is_initrd(const EFI_FILE_INFO *info)
{
    UINTN length = StrLen(info->FileName), suffix = StrLen(SUFFIX);

    return !(info->Attribute & EFI_FILE_DIRECTORY) && length > suffix && length < 64 &&
           StriCmp(&info->FileName[length - suffix], SUFFIX) == 0;
}

/* initrd.cpio before all others. */
static INTN compare_names(const CHAR16 *a, const CHAR16 *b)
{
    bool a_first = StriCmp(a, FIRST) == 0, b_first = StriCmp(b, FIRST) == 0;

    if (a_first || b_first)
        return (INTN)b_first - (INTN)a_first;
    return StriCmp(a, b);
}

static void insert_name(CHAR16 names[BOOT_INITRD_MAX][64], unsigned count, const CHAR16 *name)
{
    unsigned i = count;

    for (; i > 0 && compare_names(name, names[i - 1]) < 0; i--)
        StrCpy(names[i], names[i - 1]);
    StrCpy(names[i], name);
}

unsigned volume_list_initrds(EFI_FILE *directory, CHAR16 names[BOOT_INITRD_MAX][64])
{
    static UINT8 buffer[sizeof(EFI_FILE_INFO) + 512] __attribute__((aligned(8)));
    EFI_FILE_INFO *info = (EFI_FILE_INFO *)buffer;
    unsigned count = 0;

    for (;;) {
        UINTN size = sizeof(buffer);
        EFI_STATUS status = uefi_call_wrapper(directory->Read, 3, directory, &size, buffer);

        if (EFI_ERROR(status))
            fail(L"%s can't be listed: %r", DIRECTORY, status);
        if (size == 0)
            break;
        if (!is_initrd(info))
            continue;
        if (count == BOOT_INITRD_MAX)
            fail(L"more than %d initrds in %s", BOOT_INITRD_MAX, DIRECTORY);
        insert_name(names, count++, info->FileName);
    }
    if (count == 0 || StriCmp(names[0], FIRST) != 0)
        fail(L"%s\\%s: %r", DIRECTORY, FIRST, EFI_NOT_FOUND);
    return count;
}
